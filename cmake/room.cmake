# One room = one static library = one target unclip::<name>, linked only to the rooms it names.
#
#   unclip_add_room(prior SOURCES diffusion_prior.cpp DEPENDS unclip::nn unclip::diffusion [LIBRARIES PNG::PNG] [NO_TORCH])
function(unclip_add_room name)
  cmake_parse_arguments(ARG "NO_TORCH" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(unclip_${name} STATIC ${ARG_SOURCES})
  add_library(unclip::${name} ALIAS unclip_${name})
  set_target_properties(unclip_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(unclip_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
  target_link_libraries(unclip_${name} PUBLIC unclip_options ${ARG_DEPENDS} PRIVATE ${ARG_LIBRARIES} $<BUILD_INTERFACE:unclip_warnings>)
  if(NOT ARG_NO_TORCH)
    unclip_use_torch(unclip_${name} PUBLIC)
  endif()
  set_property(GLOBAL APPEND PROPERTY UNCLIP_ROOMS ${name})
endfunction()

# LibTorch as a system library, with its headers precompiled once for the whole project.
function(unclip_use_torch target visibility)
  target_link_libraries(${target} ${visibility} torch)
  if(NOT TARGET unclip_torch_headers)
    file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/torch_headers.cpp CONTENT "")
    add_library(unclip_torch_headers OBJECT ${PROJECT_BINARY_DIR}/torch_headers.cpp)
    target_link_libraries(unclip_torch_headers PRIVATE unclip_options unclip_warnings torch)
    target_precompile_headers(unclip_torch_headers PRIVATE <torch/types.h> <torch/autograd.h> <torch/nn/module.h> <torch/nn/pimpl.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM unclip_torch_headers)
endfunction()

# Tests of one room: one executable, each case registered with ctest.
#
#   unclip_add_tests(prior SOURCES diffusion_prior_test.cpp DEPENDS unclip::prior [LABELS slow] [FOLDER prior])
function(unclip_add_tests name)
  cmake_parse_arguments(ARG "" "FOLDER" "SOURCES;DEPENDS;LIBRARIES;LABELS" ${ARGN})
  if(NOT ARG_FOLDER)
    set(ARG_FOLDER ${name})
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  list(TRANSFORM ARG_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/tests/${ARG_FOLDER}/)
  add_executable(${name}_test ${ARG_SOURCES})
  set_target_properties(${name}_test PROPERTIES UNITY_BUILD OFF)  # tests share names of helpers
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_test PRIVATE UNCLIP_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures" UNCLIP_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPENDS} ${ARG_LIBRARIES} unclip_warnings GTest::gmock_main)
  unclip_use_torch(${name}_test PRIVATE)
  add_test(NAME ${name} COMMAND ${name}_test)
  # An allocation that is too large throws, as it does without AddressSanitizer, instead of ending the test. Several
  # tests run at once: threads that wait leave the cores to the others.
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 1800
                       ENVIRONMENT "ASAN_OPTIONS=allocator_may_return_null=1;OMP_WAIT_POLICY=PASSIVE")
endfunction()
