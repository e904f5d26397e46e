# Compile options of every target of this project, as interface targets.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(UNCLIP_CCACHE ccache)
if(UNCLIP_CCACHE AND PROJECT_IS_TOP_LEVEL)
  # A precompiled header carries time stamps; without this sloppiness ccache would never hit.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${UNCLIP_CCACHE})
endif()
find_program(UNCLIP_MOLD mold)

add_library(unclip_options INTERFACE)
target_compile_features(unclip_options INTERFACE cxx_std_20)
# Every file is compiled with the same flags, or the shared precompiled header would not fit it.
target_compile_options(unclip_options INTERFACE $<BUILD_INTERFACE:-fPIC>)
target_compile_options(unclip_options INTERFACE -fopenmp)
target_link_options(unclip_options INTERFACE -fopenmp)
if(UNCLIP_MOLD)
  target_link_options(unclip_options INTERFACE $<BUILD_INTERFACE:-fuse-ld=mold>)
endif()
if(UNCLIP_SANITIZE)
  target_compile_options(unclip_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1)
  target_link_options(unclip_options INTERFACE -fsanitize=address,undefined)
endif()

if(UNCLIP_SANITIZE_THREADS)
  # LibTorch's reference counts use a fence, which the sanitizer does not follow.
  target_compile_options(unclip_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer -g1 -Wno-tsan)
  target_link_options(unclip_options INTERFACE -fsanitize=thread)
endif()

add_library(unclip_warnings INTERFACE)
target_compile_options(unclip_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-missing-field-initializers)  # configs are written with designated initialisers; members have defaults
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess lets ccache see through the precompiled header.
  target_compile_options(unclip_options INTERFACE $<BUILD_INTERFACE:$<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>>)
  # A unity build includes sources, and GCC takes what is included for headers.
  target_compile_options(unclip_warnings INTERFACE -Wno-subobject-linkage)
endif()
if(UNCLIP_WERROR)
  target_compile_options(unclip_warnings INTERFACE -Werror)
endif()
