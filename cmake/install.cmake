# install() rules: headers, rooms, program, and a package that find_package(unclip) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
get_property(unclip_rooms GLOBAL PROPERTY UNCLIP_ROOMS)
list(TRANSFORM unclip_rooms PREPEND unclip_ OUTPUT_VARIABLE unclip_room_targets)
install(TARGETS unclip_options ${unclip_room_targets} EXPORT unclip-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT unclip-targets NAMESPACE unclip:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/unclip)
install(DIRECTORY src/unclip DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
configure_package_config_file(cmake/unclip-config.cmake.in ${PROJECT_BINARY_DIR}/unclip-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/unclip)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/unclip-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/unclip-config.cmake ${PROJECT_BINARY_DIR}/unclip-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/unclip)
if(TARGET unclip_cli)
  install(TARGETS unclip_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# Beside the program, where it looks for the bundled model, the presets of training and CLIP's vocabulary.
install(DIRECTORY models configs DESTINATION ${CMAKE_INSTALL_DATADIR}/unclip OPTIONAL)
install(DIRECTORY assets/clip-tokenizer DESTINATION ${CMAKE_INSTALL_DATADIR}/unclip)
