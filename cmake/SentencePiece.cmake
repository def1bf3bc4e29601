# sentencepiece::sentencepiece, from source: Debian's library and libc10 both export FLAGS_minloglevel, with different
# sizes, and in one process the first overwrites a mutex of the second. Hidden symbols of our own copy keep them apart.
set(SENTENCEPIECE_SOURCE_DIR ${PROJECT_SOURCE_DIR}/.deps/sentencepiece-0.2.1/sentencepiece CACHE PATH
    "The folder 'sentencepiece' of sentencepiece 0.2.1's source package (PyPI)")
if(NOT EXISTS ${SENTENCEPIECE_SOURCE_DIR}/CMakeLists.txt)
  message(FATAL_ERROR
    "sentencepiece's sources not found in ${SENTENCEPIECE_SOURCE_DIR}: run scripts/setup, or unpack "
    "'pip download --no-deps --no-binary sentencepiece sentencepiece==0.2.1' and give "
    "-DSENTENCEPIECE_SOURCE_DIR=…/sentencepiece-0.2.1/sentencepiece")
endif()

function(add_sentencepiece)
  set(SPM_ENABLE_SHARED OFF CACHE INTERNAL "")
  set(SPM_ENABLE_TCMALLOC OFF CACHE INTERNAL "")
  set(CMAKE_CXX_VISIBILITY_PRESET hidden)
  set(CMAKE_C_VISIBILITY_PRESET hidden)
  set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
  set(CMAKE_POLICY_DEFAULT_CMP0063 NEW)
  set(CMAKE_WARN_DEPRECATED OFF CACHE INTERNAL "")
  set(CMAKE_CXX_FLAGS "${CMAKE_CXX_FLAGS} -w")
  set(CMAKE_CXX_FLAGS_RELEASE "-O1 -DNDEBUG")  # a question is a line: nothing is gained by compiling longer
  set(CMAKE_COMPILE_WARNING_AS_ERROR OFF)
  set(CMAKE_UNITY_BUILD OFF)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
  add_subdirectory(${SENTENCEPIECE_SOURCE_DIR} ${PROJECT_BINARY_DIR}/sentencepiece EXCLUDE_FROM_ALL SYSTEM)
endfunction()
add_sentencepiece()

add_library(moviechat_sentencepiece INTERFACE)
add_library(sentencepiece::sentencepiece ALIAS moviechat_sentencepiece)
target_include_directories(moviechat_sentencepiece SYSTEM INTERFACE ${SENTENCEPIECE_SOURCE_DIR}/src)
target_link_libraries(moviechat_sentencepiece INTERFACE sentencepiece-static)
target_link_options(moviechat_sentencepiece INTERFACE "-Wl,--exclude-libs,libsentencepiece.a")
