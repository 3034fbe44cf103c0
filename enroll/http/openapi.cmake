# Puts the files of FOLDER together to one OpenAPI document, and writes it into the C file OUT (enroll/http/openapi_api.h).
# frame.json is the document without routes; every other file has the "paths" and "schemas" of one area. What is there
# twice, and what is no JSON, ends the build.
file(READ ${FOLDER}/frame.json document)
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*.json)
list(SORT files)
list(REMOVE_ITEM files frame.json)

# add MEMBERS INTO... - each member of the object, at that place of the document.
function(add members)
	string(JSON n LENGTH "${members}")
	if(n EQUAL 0)
		return()
	endif()
	math(EXPR last "${n} - 1")
	foreach(i RANGE ${last})
		string(JSON name MEMBER "${members}" ${i})
		string(JSON value GET "${members}" "${name}")
		string(JSON there ERROR_VARIABLE absent TYPE "${document}" ${ARGN} "${name}")
		if(NOT there MATCHES "NOTFOUND$")
			message(FATAL_ERROR "openapi/${file}: ${name} is in another file too")
		endif()
		string(JSON document SET "${document}" ${ARGN} "${name}" "${value}")
	endforeach()
	set(document "${document}" PARENT_SCOPE)
endfunction()

foreach(file IN LISTS files)
	file(READ ${FOLDER}/${file} area)
	string(JSON paths GET "${area}" paths)
	string(JSON schemas GET "${area}" schemas)
	add("${paths}" paths)
	add("${schemas}" components schemas)
endforeach()
string(JSON document SET "${document}" info version "\"${VERSION}\"")

file(WRITE ${OUT}.json "${document}\n")
file(READ ${OUT}.json bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT}.new "/* Made from openapi/ by openapi.cmake. */\n#include \"enroll/http/openapi_api.h\"\n\n"
	"const unsigned char openapi_document[] = {${bytes}};\n"
	"const size_t openapi_document_n = sizeof(openapi_document);\n")
file(RENAME ${OUT}.new ${OUT})
