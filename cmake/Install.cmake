# `cmake --install`: the program with its configs, the mini bundle, man page and completions, run from its prefix; and
# libmoviechat with its headers, for find_package(moviechat) and pkg-config.
include(CMakePackageConfigHelpers)
set_target_properties(libmoviechat PROPERTIES INSTALL_RPATH "${TORCH_ROOT}/lib")
install(TARGETS libmoviechat EXPORT moviechat LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/moviechat DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/moviechat)
install(EXPORT moviechat NAMESPACE moviechat:: FILE moviechat-config.cmake DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/moviechat-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/moviechat-config-version.cmake DESTINATION ${package})
configure_file(${PROJECT_SOURCE_DIR}/cmake/moviechat.pc.in ${PROJECT_BINARY_DIR}/moviechat.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/moviechat.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET moviechat)
  set_target_properties(moviechat PROPERTIES INSTALL_RPATH "${TORCH_ROOT}/lib")
  install(TARGETS moviechat RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  if(TARGET moviechat_cuda)
    set_target_properties(moviechat_cuda PROPERTIES INSTALL_RPATH "${TORCH_ROOT}/lib")
    install(TARGETS moviechat_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/moviechat)
  endif()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION ${CMAKE_INSTALL_DATADIR}/moviechat)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/mini DESTINATION ${CMAKE_INSTALL_DATADIR}/moviechat/models)

  # The program itself prints its man page and completions, from the flags that it parses.
  function(install_printed destination name)
    install(CODE "
      file(MAKE_DIRECTORY \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${destination}\")
      message(STATUS \"Installing: \${CMAKE_INSTALL_PREFIX}/${destination}/${name}\")
      execute_process(COMMAND \"$<TARGET_FILE:moviechat>\" ${ARGN}
        OUTPUT_FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${destination}/${name}\"
        COMMAND_ERROR_IS_FATAL ANY)")
  endfunction()
  install_printed(${CMAKE_INSTALL_MANDIR}/man1 moviechat.1 man)
  install_printed(${CMAKE_INSTALL_DATADIR}/bash-completion/completions moviechat completions bash)
  install_printed(${CMAKE_INSTALL_DATADIR}/zsh/site-functions _moviechat completions zsh)
  install_printed(${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d moviechat.fish completions fish)
endif()
