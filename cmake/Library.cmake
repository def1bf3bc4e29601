# libmoviechat.so: the engine for other programs. It exports what the public headers declare; all else, sentencepiece and
# protobuf among it, stays inside.
add_library(libmoviechat SHARED ${PROJECT_BINARY_DIR}/pch.cpp)  # empty: all comes from the modules
set_target_properties(libmoviechat PROPERTIES
  OUTPUT_NAME moviechat EXPORT_NAME moviechat VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib UNITY_BUILD OFF
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exports.map)
target_link_libraries(libmoviechat PRIVATE moviechat_engine)
set(modules base media plan bundle perception memory language engine)
list(TRANSFORM modules REPLACE "(.+)" "$<TARGET_FILE:moviechat_\\1>" OUTPUT_VARIABLE archives)
list(JOIN archives "," archives)
target_link_options(libmoviechat PRIVATE
  "-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map" "LINKER:--whole-archive,${archives},--no-whole-archive")
target_include_directories(libmoviechat INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(libmoviechat INTERFACE cxx_std_20)
