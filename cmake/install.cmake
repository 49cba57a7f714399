# What `cmake --install` puts where: library, headers, CMake package, pkg-config file. All paths
# in them are relative to the files themselves, so that a prefix may be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/firbank)

install(TARGETS firbank EXPORT firbankTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# What the manual page points to, under names that tell what they are where no folder does.
install(FILES engine/config/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME configurations.md)
install(FILES io/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME packets.md)
install(FILES docs/firbank-serve.service DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT firbankTargets NAMESPACE firbank:: DESTINATION ${package_dir})

configure_package_config_file(cmake/firbankConfig.cmake.in firbankConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(firbankConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/firbankConfig.cmake
              ${PROJECT_BINARY_DIR}/firbankConfigVersion.cmake
        DESTINATION ${package_dir})

# A shared libfirbank names its own dependencies. Who links a static one needs them too, but not
# what they were made of, so they are public there and `pkg-config --static` is not called for.
set(pc_requires "")
set(pc_libs "")
if(NOT BUILD_SHARED_LIBS)
  set(pc_requires "fmt libhwy sndfile soxr")
  set(pc_libs " ${CMAKE_THREAD_LIBS_INIT} -lstdc++ -lm")
endif()
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(cmake/firbank.pc.in firbank.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/firbank.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
