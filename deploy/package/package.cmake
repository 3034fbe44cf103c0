# Two Debian packages from the two components: endorse (device) and endorse-server. Made by
#
#     cmake -S . -B .build/debian -G Ninja -DCMAKE_INSTALL_PREFIX=/usr -DENDORSE_TESTS=OFF
#     cmake --build .build/debian --target package
#
# A build for another prefix has units for that prefix, and no package.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
	return()
endif()
set(here ${CMAKE_CURRENT_LIST_DIR})
set(made ${CMAKE_CURRENT_BINARY_DIR}/package)

set(ENDORSE_PACKAGER "Endorse <endorse@localhost>" CACHE STRING "Who makes the packages: name and address")

foreach(component device server)
	set(package endorse-server)
	if(component STREQUAL "device")
		set(package endorse)
	endif()
	set(PACKAGE ${package})
	configure_file(${here}/changelog.in ${made}/${component}/changelog @ONLY)
	install(FILES ${here}/copyright ${made}/${component}/changelog
		DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
endforeach()


# What dpkg keeps when an administrator changed it, and removes with the last of the package.
file(GLOB templates RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/templates/*.yaml)
list(TRANSFORM templates PREPEND "/etc/endorse/")
list(JOIN templates "\n" templates)
file(WRITE ${made}/server/conffiles "${templates}\n")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME endorse)
set(CPACK_PACKAGE_VENDOR Endorse)
set(CPACK_PACKAGE_CONTACT "${ENDORSE_PACKAGER}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${here}/compress.cmake)
# /etc is no part of the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
	OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL device server)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_DEVICE_PACKAGE_NAME endorse)
set(CPACK_DEBIAN_DEVICE_DESCRIPTION "prove this machine's TPM to an attestation CA
The device's tool of Endorse: makes an attestation key in the TPM 2.0,
proves it to an Endorse service and keeps the certificate that it issues. A
timer enrolls and renews once /etc/endorse/endorse.conf says with which
service.")
set(CPACK_DEBIAN_DEVICE_PACKAGE_DEPENDS "libtss2-tcti-device0, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
set(CPACK_DEBIAN_DEVICE_PACKAGE_CONTROL_EXTRA
	"${here}/device/postinst;${here}/device/prerm;${here}/device/postrm")

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME endorse-server)
set(CPACK_DEBIAN_SERVER_DESCRIPTION "attestation CA and enrollment service for TPM 2.0 hosts
The service of Endorse behind its TLS edge (HAProxy), and the
administrator's tool. It verifies a device's endorsement key certificate,
challenges the TPM, binds the host's name to it and issues a certificate for
its attestation key. Nothing is started before it was configured:
endorsed(8) says how.")
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "haproxy (>= 2.6), systemd | systemd-standalone-sysusers | systemd-sysusers, \
systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
set(CPACK_DEBIAN_SERVER_PACKAGE_RECOMMENDS "openssl, osslsigncode, cabextract")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS postgresql)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
	"${here}/server/postinst;${here}/server/prerm;${here}/server/postrm;${made}/server/conffiles")
include(CPack)
