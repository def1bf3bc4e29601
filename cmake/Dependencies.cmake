# Everything that we link, as imported targets. third_party/README.md lists where it is from.
include(Torch)
add_subdirectory(third_party/sentencepiece)
include(OpenCV)

find_package(PkgConfig REQUIRED)
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswscale)
pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
