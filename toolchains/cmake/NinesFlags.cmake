# Compiler settings shared by every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")

find_program(NINES_CCACHE ccache)
if(NINES_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${NINES_CCACHE}")
endif()

add_library(nines_flags INTERFACE)
# -ffp-contract=off: x86 and ARM must print the same numbers (law 6).
target_compile_options(nines_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wunused-result -Werror -ffp-contract=off -fno-omit-frame-pointer
  -ffunction-sections -fdata-sections)
target_link_options(nines_flags INTERFACE -Wl,--gc-sections)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT NINES_SANITIZE)
  # Full RELRO: the few hundred functions of libc are looked up at the start, and the table of their
  # addresses is read-only from then on. No instruction of ours changes. packaging.hardening looks.
  target_link_options(nines_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  # Logs beyond 2 GB and years beyond 2038.
  target_compile_definitions(nines_flags INTERFACE _FILE_OFFSET_BITS=64 _TIME_BITS=64)
endif()
find_package(Threads REQUIRED)
target_link_libraries(nines_flags INTERFACE Threads::Threads)
if(NINES_SANITIZE)
  target_compile_options(nines_flags INTERFACE -fsanitize=${NINES_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(nines_flags INTERFACE -fsanitize=${NINES_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # What sanitizers add makes GCC see values that are not set where all are (its manual says so):
    # std::regex of libstdc++ 12 is one. The builds without them keep the warning.
    target_compile_options(nines_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(NINES_SANITIZE MATCHES "thread")
    # TSan does not model the fences around Asio's handlers; the queue's mutex orders those anyway.
    target_compile_definitions(nines_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(NINES_COVERAGE)
  target_compile_options(nines_flags INTERFACE --coverage -O0)
  target_link_options(nines_flags INTERFACE --coverage)
endif()

# What we ship: a smashed stack ends the program, and functions of libc that know the size of their
# target look at it. Tests are not compiled with them.
set(NINES_GUARDED "$<$<CONFIG:Release>:-fstack-protector-strong;-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")

# A room: nines_room(core SOURCES ... LINK <rooms below> PRIVATE <third-party>)
function(nines_room name)
  cmake_parse_arguments(R "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(nines_${name} STATIC ${R_SOURCES})
  add_library(nines::${name} ALIAS nines_${name})
  target_include_directories(nines_${name} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}/include"
                                           PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
  target_link_libraries(nines_${name} PUBLIC ${R_LINK} PRIVATE nines_flags ${R_PRIVATE})
  target_compile_options(nines_${name} PRIVATE ${NINES_GUARDED})
endfunction()

# Files whose speed nobody feels (configuration, text for people, what runs once a query or once a
# minute) are built for size: half the bytes of -O2. What sees every line keeps -O2.
# At -Os g++ 12 takes values behind `optional && *optional > 0` for uninitialized; other builds do not.
#   nines_for_size(<target> <regex of the source's path in its room>... [EXCEPT <regex>...])
function(nines_for_size target)
  cmake_parse_arguments(S "" "" "EXCEPT" ${ARGN})
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    file(RELATIVE_PATH path "${CMAKE_CURRENT_SOURCE_DIR}" "${source}")
    set(cold FALSE)
    foreach(regex ${S_UNPARSED_ARGUMENTS})
      if("/${path}" MATCHES "${regex}")
        set(cold TRUE)
      endif()
    endforeach()
    foreach(regex ${S_EXCEPT})
      if("/${path}" MATCHES "${regex}")
        set(cold FALSE)
      endif()
    endforeach()
    if(cold)
      set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os;-Wno-maybe-uninitialized>")
    endif()
  endforeach()
endfunction()
