# A module: src/NAME/*.cpp as the static library moviechat_NAME, and tests/NAME/*_test.cpp as one program.

add_library(moviechat_flags INTERFACE)
# g++ 12 sees overlaps and overruns in "literal" + std::string that are not there (GCC bugs 105329 and 105651).
target_compile_options(moviechat_flags INTERFACE -Wall -Wextra -Wpedantic
  -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
target_include_directories(moviechat_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
# fmt for all. Torch has headers of another one among its own, so that the installed ones need a folder that comes first.
get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/fmt)
file(CREATE_LINK ${fmt_include}/fmt ${PROJECT_BINARY_DIR}/fmt/fmt SYMBOLIC)
target_include_directories(moviechat_flags INTERFACE ${PROJECT_BINARY_DIR}/fmt)
target_link_libraries(moviechat_flags INTERFACE fmt::fmt)
if(MOVIECHAT_SANITIZE)
  target_compile_options(moviechat_flags INTERFACE
    -fsanitize=${MOVIECHAT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  target_link_options(moviechat_flags INTERFACE -fsanitize=${MOVIECHAT_SANITIZE})
endif()

# moviechat_program(TARGET): what every program needs under a sanitizer.
function(moviechat_program target)
  if(MOVIECHAT_SANITIZE MATCHES "address")
    target_sources(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/leak_suppressions.cpp)
  endif()
endfunction()

# Release builds of code that computes nothing by itself: compiled quickly.
add_library(moviechat_light INTERFACE)
target_compile_options(moviechat_light INTERFACE $<$<CONFIG:Release>:-O1>)

# moviechat_precompiled(NAME [DEPS target…] [HEADERS <header>…]): headers that are compiled once for all who REUSE_FROM it,
# with the same DEPS: g++ takes them only where its options are the same. More of torch than this (torch/types.h: 450 MB
# precompiled) costs each file more seconds than it saves.
function(moviechat_precompiled name)
  cmake_parse_arguments(PARSE_ARGV 1 pch "" "" "DEPS;HEADERS")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/pch.cpp CONTENT "")  # written once, or all would be built again
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/pch.cpp)
  target_link_libraries(${name} PRIVATE moviechat_flags torch::torch nlohmann_json::nlohmann_json ${pch_DEPS})
  target_precompile_headers(${name} PRIVATE ${pch_HEADERS}
    <ATen/core/Tensor.h> <fmt/format.h> <nlohmann/json.hpp> <algorithm> <filesystem> <functional> <map> <memory> <optional> <string> <vector>)
endfunction()
moviechat_precompiled(moviechat_pch)
moviechat_precompiled(moviechat_light_pch DEPS moviechat_light)
set_target_properties(moviechat_pch moviechat_light_pch PROPERTIES POSITION_INDEPENDENT_CODE ON)

# moviechat_module(NAME [TENSORS] [LIGHT] DEPS target…): LIGHT modules compute nothing, and are compiled quickly.
function(moviechat_module name)
  cmake_parse_arguments(PARSE_ARGV 1 module "TENSORS;LIGHT" "" "DEPS")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  set(module_target moviechat_${name})
  if(sources)
    add_library(${module_target} STATIC ${sources})
    set_target_properties(${module_target} PROPERTIES POSITION_INDEPENDENT_CODE ON)  # they may become libmoviechat.so
    target_link_libraries(${module_target} PUBLIC moviechat_flags ${module_DEPS})
    if(module_TENSORS)
      target_link_libraries(${module_target} PUBLIC torch::torch)
    endif()
    if(module_LIGHT)
      target_link_libraries(${module_target} PRIVATE moviechat_light)
    endif()
    if(module_TENSORS AND module_LIGHT)
      target_precompile_headers(${module_target} REUSE_FROM moviechat_light_pch)
    elseif(module_TENSORS)
      target_precompile_headers(${module_target} REUSE_FROM moviechat_pch)
    endif()
  else()
    add_library(${module_target} INTERFACE)
    target_link_libraries(${module_target} INTERFACE moviechat_flags ${module_DEPS})
  endif()
endfunction()

# moviechat_module_tests(NAME [LABELS label…] [DEPS target…])
function(moviechat_module_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "DEPS;LABELS")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(moviechat_${name}_tests ${sources})
  moviechat_program(moviechat_${name}_tests)
  target_link_libraries(moviechat_${name}_tests
    PRIVATE moviechat_light moviechat_${name} moviechat_test_support GTest::gmock GTest::gtest_main ${test_DEPS})
  target_precompile_headers(moviechat_${name}_tests REUSE_FROM moviechat_test_pch)
  # Tests have helpers of the same names in several files, and compute little.
  set_target_properties(moviechat_${name}_tests PROPERTIES UNITY_BUILD OFF)
  # ctest runs tests side by side: tiny models gain nothing from threads that wait for each other.
  set(common DISCOVERY_TIMEOUT 120 TEST_PREFIX "${name}.")
  set(properties TIMEOUT 600 ENVIRONMENT OMP_NUM_THREADS=1)
  # Tests named …Threads… use several threads of ours: what the tsan preset runs.
  gtest_discover_tests(moviechat_${name}_tests ${common} TEST_FILTER "-*Threads*"
    TEST_LIST ${name}_single PROPERTIES LABELS "${name};${test_LABELS}" ${properties})
  gtest_discover_tests(moviechat_${name}_tests ${common} TEST_FILTER "*Threads*"
    TEST_LIST ${name}_threaded PROPERTIES LABELS "${name};threads;${test_LABELS}" ${properties})
endfunction()
