# torch::torch: libtorch of the PyPI wheel in .venv, or an official libtorch folder given by TORCH_DIR or
# CMAKE_PREFIX_PATH. Torch's own package file is not used: with a CUDA build it needs nvcc just to configure.
# Only the CPU libraries are linked; CUDA's are opened when a CUDA device is asked for.
if(NOT TORCH_DIR AND DEFINED ENV{TORCH_DIR})
  set(TORCH_DIR $ENV{TORCH_DIR} CACHE PATH "an unpacked libtorch folder" FORCE)  # for later configurations, too
endif()
set(torch_hints ${TORCH_DIR} ${CMAKE_PREFIX_PATH})
file(GLOB torch_wheel LIST_DIRECTORIES true ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)

# Found anew each time, so that another TORCH_DIR is heeded in a build folder that knows one.
foreach(found TORCH_INCLUDE_DIR TORCH_c10_LIBRARY TORCH_torch_cpu_LIBRARY)
  unset(${found} CACHE)
endforeach()
find_path(TORCH_INCLUDE_DIR torch/csrc/jit/api/module.h
          HINTS ${torch_hints} ${torch_wheel} PATH_SUFFIXES include NO_DEFAULT_PATH)
if(NOT TORCH_INCLUDE_DIR)
  message(FATAL_ERROR
    "libtorch not found: run scripts/setup (installs torch into .venv), or give an unpacked libtorch folder with "
    "-DTORCH_DIR=/path/to/libtorch")
endif()
cmake_path(GET TORCH_INCLUDE_DIR PARENT_PATH TORCH_ROOT)
foreach(lib c10 torch_cpu)
  find_library(TORCH_${lib}_LIBRARY ${lib} HINTS ${TORCH_ROOT}/lib NO_DEFAULT_PATH REQUIRED)
endforeach()

add_library(torch_c10 SHARED IMPORTED)
set_target_properties(torch_c10 PROPERTIES
  IMPORTED_LOCATION ${TORCH_c10_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES
  "${TORCH_INCLUDE_DIR};${TORCH_INCLUDE_DIR}/torch/csrc/api/include")
add_library(torch::torch SHARED IMPORTED)
set_target_properties(torch::torch PROPERTIES
  IMPORTED_LOCATION ${TORCH_torch_cpu_LIBRARY}
  INTERFACE_LINK_LIBRARIES torch_c10
  INTERFACE_COMPILE_DEFINITIONS AT_PER_OPERATOR_HEADERS  # torch's headers include the operators that they call, not all
  # The wheel finds CUDA's libraries by its own rpath; the linker needs not follow it.
  INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined")
message(STATUS "libtorch: ${TORCH_ROOT}")

# torch::cuda: what code that calls CUDA by itself needs, where libtorch has it: its CUDA libraries, and CUDA's headers,
# which pip installs beside torch, or a toolkit has.
foreach(found TORCH_c10_cuda_LIBRARY TORCH_torch_cuda_LIBRARY CUDA_INCLUDE_DIR)
  unset(${found} CACHE)
endforeach()
foreach(lib c10_cuda torch_cuda)
  find_library(TORCH_${lib}_LIBRARY ${lib} HINTS ${TORCH_ROOT}/lib NO_DEFAULT_PATH)
endforeach()
file(GLOB cuda_wheels LIST_DIRECTORIES true ${TORCH_ROOT}/../nvidia/cu*/include ${TORCH_ROOT}/../nvidia/cuda_runtime/include)
# crt/ is a package of its own (nvidia-cuda-crt): without it the others do not compile.
find_path(CUDA_INCLUDE_DIR crt/host_config.h
          PATHS ${cuda_wheels} $ENV{CUDA_HOME}/include /usr/local/cuda/include NO_DEFAULT_PATH)
if(TORCH_c10_cuda_LIBRARY AND TORCH_torch_cuda_LIBRARY AND CUDA_INCLUDE_DIR)
  add_library(torch_cuda INTERFACE)
  add_library(torch::cuda ALIAS torch_cuda)
  target_include_directories(torch_cuda SYSTEM INTERFACE ${CUDA_INCLUDE_DIR})
  target_link_libraries(torch_cuda INTERFACE torch::torch ${TORCH_c10_cuda_LIBRARY} ${TORCH_torch_cuda_LIBRARY})
  message(STATUS "CUDA's headers: ${CUDA_INCLUDE_DIR}")
else()
  message(STATUS "no CUDA graphs: this libtorch has no CUDA, or CUDA's headers are not there (PyPI: nvidia-cuda-runtime, "
                 "nvidia-cuda-crt and those that torch requires); all else works, on a GPU, too")
endif()
