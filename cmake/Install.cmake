# `cmake --install`: the program with its configs, the mini bundle, man page and completions, run from its prefix.
if(TARGET moviechat)
  set_target_properties(moviechat PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};${TORCH_ROOT}/lib")
  install(TARGETS moviechat RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs DESTINATION ${CMAKE_INSTALL_DATADIR}/moviechat)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/models DESTINATION ${CMAKE_INSTALL_DATADIR}/moviechat)
endif()
