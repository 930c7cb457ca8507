"""Sections 6, 7, 10, 11, 12, 15 and 16 of the language reference: the tests of each clause."""

CLAUSES: dict[str, tuple[str, ...]] = {
    # 6 Commands
    "6 READ gives the file as text": (
        "test_read_keeps_every_character",
        "test_read_that_fails_leaves_its_variable_as_it_was",
    ),
    "6 READ of 16 MiB at most": ("test_read_takes_16_mib_at_most",),
    "6 READ raises io and decode": ("test_read_says_what_hinders_it",),
    "6 READ of a FIFO, device or socket fails at once": (
        "test_read_of_a_fifo_or_a_socket_fails_at_once",
        "test_read_of_a_device_fails_at_once",
    ),
    "6 WRITE creates missing parents": ("test_write_creates_missing_parents",),
    "6 WRITE replaces the file in one step": (
        "test_write_replaces_the_file_in_one_step",
        "test_write_breaks_a_hard_link",
        "test_write_replaces_a_fifo",
        "test_write_of_an_empty_body_makes_an_empty_file",
    ),
    "6 WRITE follows a link inside the root": (
        "test_write_follows_a_link_inside_the_root_and_leaves_it",
        "test_write_does_not_follow_a_link_that_leaves_the_root",
    ),
    "6 WRITE keeps the mode": ("test_write_keeps_the_mode_of_a_file_that_exists",),
    "6 WRITE is UTF-8 without newline translation": (
        "test_write_is_utf_8_without_newline_translation",
    ),
    "6 WRITE raises io": ("test_write_says_what_hinders_it_and_leaves_nothing",),
    "6 MKDIR makes a directory and parents": (
        "test_mkdir_makes_a_directory_and_its_parents",
        "test_mkdir_is_fine_with_a_directory_that_exists",
    ),
    "6 MKDIR raises io": ("test_mkdir_says_when_a_file_is_there",),
    "6 DELETE of a file, a link, an empty directory": (
        "test_delete_removes_a_file_and_an_empty_directory",
        "test_delete_removes_a_link_not_its_target",
    ),
    "6 DELETE raises io": ("test_delete_says_what_hinders_it",),
    "6 DELETE of the root is security": ("test_delete_of_the_root_itself_is_security",),
    "6 RUN raises timeout and io": (
        "test_a_timeout_can_be_caught_and_its_output_read",
        "test_run_raises_io_when_its_shell_cannot_start",
    ),
    "6 ASSERT raises assert, type, undefined": ("test_what_assert_var_and_log_raise",),
    "6 VAR binds": ("test_what_assert_var_and_log_raise", "test_var_binds"),
    "6 LOG appends the text form": (
        "test_what_assert_var_and_log_raise",
        "test_log_appends_the_text_form",
    ),
    # 6.1
    "6.1 needs a POSIX sh": (
        "test_a_shell_is_posix_sh",
        "sandbox/test_policy.py::test_without_a_posix_shell_there_is_no_run",
    ),
    "6.1 runs in the project root or @cwd": (
        "test_run_works_in_the_project_root",
        "test_run_works_in_the_directory_of_cwd",
    ),
    "6.1 a new process group": ("test_run_has_a_process_group_of_its_own",),
    "6.1 standard input at end-of-file": ("test_run_finds_standard_input_at_its_end",),
    "6.1 stdout and stderr apart": ("test_stdout_and_stderr_are_captured_apart",),
    "6.1 a heredoc is a script": ("test_a_heredoc_is_a_script_of_several_lines",),
    "6.1 131,071 bytes at most": (
        "test_a_command_has_131_071_bytes_at_most",
        "test_what_counts_is_the_command_with_its_values",
    ),
    "6.1 a non-zero exit is data": ("test_an_exit_code_is_data",),
    "6.1 LAST_RUN is replaced when the command ends": (
        "test_a_command_that_never_started_leaves_last_run_as_it_was",
    ),
    "6.1 the time limit": (
        "test_the_limits_that_hold_when_none_are_given",
        "test_past_the_lesser_limit_the_whole_group_is_killed",
        "test_the_innermost_timeout_counts",
        "test_a_timeout_can_be_caught_and_its_output_read",
    ),
    "6.1 EXECUTION_TIME runs out": ("test_when_the_budget_of_time_runs_out_the_error_is_budget",),
    "6.1 background processes are killed": ("test_background_processes_end_with_their_command",),
    "6.1 pipes are waited for one second": ("test_pipes_are_waited_for_a_little_only",),
    "6.1 output beyond the limit is dropped": (
        "test_output_beyond_the_limit_is_read_and_dropped",
        "test_the_limit_on_output_is_of_each_stream",
        "test_the_limits_that_hold_when_none_are_given",
        "sandbox/test_client.py::test_much_output_needs_little_memory",
    ),
    # 6.2
    "6.2 sends the interpolated text": (
        "test_echo_replies_with_the_prompt",
        "test_the_prompt_may_be_a_heredoc",
    ),
    "6.2 sends the directives in force and nothing else": (
        "test_the_model_is_told_the_prompt_and_the_directives_in_force_alone",
        "test_the_directive_language_overrides_the_header",
        "test_an_unknown_directive_does_not_stop_a_plan",
    ),
    "6.2 the reply is bound or dropped": ("test_a_reply_without_into_is_dropped",),
    "6.2 agent none": ("test_no_agent_raises_agent_with_a_hint",),
    "6.2 agent echo": (
        "test_echo_replies_with_the_prompt",
        "test_adapters.py::test_directives_are_no_part_of_an_echo",
    ),
    "6.2 agent canned": (
        "test_canned_gives_one_string_a_call_until_they_run_out",
        "test_a_canned_file_that_holds_no_strings",
    ),
    "6.2 agent qt": (
        "test_the_package_s_own_model_can_be_named",
        "test_adapters_qt.py::test_a_checkpoint_replies",
    ),
    "6.2 agent http": (
        "test_the_model_is_told_the_prompt_and_the_directives_in_force_alone",
        "test_a_server_that_is_not_there_is_the_error_agent",
    ),
    "6.2 another agent is refused": (
        "test_an_unknown_agent_is_refused_before_any_effect",
        "test_an_unknown_agent_is_a_bad_flag_for_every_plan",
    ),
    "6.2 agent is catchable": ("test_an_error_of_the_agent_can_be_caught",),
    "6.2 API_CALLS and TOKENS": (
        "test_calls_and_tokens_are_counted",
        "test_the_count_of_an_adapter_that_counts_is_taken",
    ),
    # 6.3
    "6.3 PAUSE": ("test_pause_accepts", "test_the_message_of_a_question_is_interpolated"),
    "6.3 REQUEST_REVIEW and approval": (
        "test_the_approval_of_a_command_is_a_question_of_that_command",
        "test_a_review_and_an_approval_accept",
        "test_a_refused_command_does_not_run",
    ),
    "6.3 no raises human": ("test_any_other_answer_is_a_refusal",),
    "6.3 who answers": (
        "test_yes_answers_every_question",
        "test_answers_are_used_in_order_and_before_yes",
        "test_an_answer_no_comes_before_yes",
        "test_a_person_at_the_terminal_is_asked",
        "test_a_question_over_a_pipe_is_not_asked",
    ),
    "6.3 otherwise human, not catchable": (
        "test_nobody_to_ask_is_human",
        "test_no_answer_cannot_be_caught",
    ),
    "6.3 answers accepted for yes": (
        "test_pause_accepts",
        "test_a_review_and_an_approval_accept",
        "test_any_other_answer_is_a_refusal",
    ),
    # 7.1
    "7.1 TASK, SETUP, STEP run in source order": ("test_statements_run_in_source_order",),
    "7.1 SETUP always runs": (
        "test_setup_is_a_step_that_is_labelled_setup",
        "test_setup_runs_whatever_step_is_chosen",
    ),
    "7.1 an uncaught error": ("test_an_uncaught_error_stops_the_run",),
    "7.1 keep-going": (
        "test_keep_going_goes_on_with_the_next_step",
        "test_keep_going_exits_with_the_code_of_the_first",
        "test_keep_going_stops_at_what_cannot_be_caught",
        "test_keep_going_after_an_error_outside_steps_and_in_setup",
        "test_keep_going_inside_a_task_with_a_block",
    ),
    # 7.2
    "7.2 IF: exactly one branch, THEN is noise": (
        "test_exactly_one_branch_runs",
        "test_without_else_nothing_runs",
        "test_a_branch_that_changes_what_was_asked_does_not_run_the_other",
    ),
    "7.2 ELSE IF chains": ("test_else_if_chains",),
    # 7.3
    "7.3 TRY and CATCH": (
        "test_catch_runs_after_an_error_and_the_rest_of_try_does_not",
        "test_error_line_is_a_number_and_the_others_are_text",
    ),
    "7.3 nothing is rolled back": ("test_nothing_is_rolled_back",),
    "7.3 without an error CATCH is skipped": ("test_without_an_error_catch_is_skipped",),
    "7.3 an error in CATCH goes outwards": ("test_an_error_in_catch_goes_outwards",),
    "7.3 caught errors are listed": (
        "test_catch_runs_after_an_error_and_the_rest_of_try_does_not",
    ),
    "7.3 nested handlers restore ERROR": ("test_nested_handlers_restore_the_outer_error",),
    "7.3 a STEP left through a caught error": (
        "test_a_step_left_through_a_caught_error_is_failed_the_one_around_is_not",
    ),
    "7.3 catchable: assert undefined type io decode timeout agent": ("test_what_can_be_caught",),
    "7.3 never catchable: security budget human": ("test_what_can_never_be_caught",),
    "7.3 never catchable: parse": ("test_a_syntax_error_inside_try_is_not_caught",),
    "7.3 never catchable: interrupted": ("test_an_interruption_is_not_caught",),
    "7.3 never catchable: internal": ("test_an_internal_error_is_not_caught",),
    # 7.4
    "7.4 definitions are hoisted": (
        "test_a_definition_may_follow_its_use",
        "test_a_definition_alone_does_nothing",
    ),
    "7.4 names are compared exactly": (
        "test_names_are_compared_exactly",
        "test_a_name_is_plain_text",
    ),
    "7.4 CALL gives every parameter once": (
        "test_a_call_gives_every_parameter_once",
        "test_a_call_without_arguments_of_a_task_with_parameters",
    ),
    "7.4 unknown, duplicate, recursive": ("test_what_is_wrong_before_a_run",),
    "7.4 arguments are evaluated before the body": (
        "test_arguments_are_evaluated_before_the_body",
        "test_arguments_are_evaluated_in_the_scope_of_the_caller",
        "test_an_argument_keeps_its_type",
    ),
    "7.4 parameters shadow until the call ends": (
        "test_a_parameter_shadows_in_the_calls_and_branches_below_too",
        "test_parameters_shadow_until_the_call_ends",
        "test_parameters_shadow_until_the_call_ends_by_an_error",
        "test_a_parameter_is_gone_after_the_call",
        "test_assigning_a_parameter_changes_the_parameter",
    ),
    "7.4 other assignments go to the script": (
        "test_other_assignments_go_to_the_script",
        "test_a_body_sees_the_names_of_the_script",
    ),
    "7.4 DEFINE_TASK in steps": ("test_calls_appear_in_steps_as_the_name_of_the_task",),
    "7.4 the example": ("test_the_example_of_the_reference",),
    # 7.5
    "7.5 PARALLEL works on copies": (
        "test_each_step_works_on_its_own_copy",
        "test_directives_of_the_block_hold_in_its_branches",
    ),
    "7.5 at most --jobs at once": (
        "test_at_most_as_many_run_at_once_as_jobs_says",
        "test_branches_run_side_by_side",
    ),
    "7.5 names are merged": ("test_the_names_that_each_assigned_are_merged",),
    "7.5 two branches that assign one name": (
        "test_two_branches_that_can_assign_one_name",
        "test_a_name_that_only_shadows_is_not_assigned",
    ),
    "7.5 LAST_RUN is unset after the block": (
        "test_last_run_is_unset_after_the_block",
        "test_last_run_is_unset_after_a_block_without_run",
    ),
    "7.5 a catchable error": (
        "test_a_catchable_error_lets_the_others_finish",
        "test_an_error_that_nobody_catches_ends_the_run",
        "test_an_error_caught_inside_a_branch_concerns_nobody_else",
    ),
    "7.5 an uncatchable error": ("test_an_uncatchable_error_kills_the_other_branches",),
    "7.5 log entries are grouped": ("test_log_entries_are_grouped_by_branch",),
    "7.5 one job, the same result": ("test_one_job_gives_the_same_result",),
    "7.5 budgets and events over all branches": (
        "test_budgets_count_over_all_branches",
        "test_every_event_of_a_branch_says_which",
    ),
    # 7.6
    "7.6 CHOOSE runs exactly one OPTION": (
        "test_exactly_one_option_runs",
        "test_one_answer_for_each_choice",
    ),
    "7.6 an answer": (
        "test_an_answer_is_a_label_or_a_number_from_1",
        "test_a_wrong_answer_is_human",
        "test_the_answer_comes_before_the_estimate",
    ),
    "7.6 the least estimate": (
        "test_the_least_estimate_is_taken_and_of_equals_the_first",
        "test_the_estimate_decides_only_when_every_option_has_one",
        "test_the_estimate_must_stand_directly_in_the_option",
        "test_an_estimate_is_the_total_cost",
    ),
    "7.6 the agent": (
        "test_the_estimate_comes_before_the_agent",
        "test_the_agent_chooses_when_asked_to",
        "test_the_agent_does_not_choose_unasked",
    ),
    "7.6 the person": ("test_a_person_chooses",),
    "7.6 otherwise human": ("test_nobody_to_choose_is_human_and_cannot_be_caught",),
    "7.6 --yes does not choose": ("test_yes_does_not_choose",),
    # 7.7
    "7.7 the counters": (
        "test_the_counters",
        "test_the_other_fields_of_cost",
        "test_a_run_that_a_budget_refuses_is_not_counted",
    ),
    "7.7 COST is the total": ("test_cost_is_the_total",),
    "7.7 rates": ("test_the_rates_can_be_configured_and_time_has_none",),
    "7.7 ESTIMATE_COST adds up": (
        "test_what_is_added_up",
        "test_the_words_are_those_of_the_template",
        "test_each_run_is_one_run",
    ),
    "7.7 ESTIMATE_COST binds the total and emits estimate": (
        "test_what_is_added_up",
        "test_into_is_optional",
        "test_an_estimate_is_an_event",
    ),
    "7.7 ESTIMATE_COST executes nothing": (
        "test_a_budget_in_it_is_not_set",
        "test_nothing_in_it_is_executed",
        "test_assignments_in_it_do_not_happen",
    ),
    "7.7 SET_BUDGET": ("test_within_a_budget", "test_a_budget_may_be_an_integer_of_any_size"),
    "7.7 SET_BUDGET, another name or value": (
        "test_another_name_or_a_bad_value",
        "test_a_budget_cannot_be_text",
    ),
    "7.7 SET_BUDGET replaces, never above the operator": (
        "test_a_budget_holds_to_the_end_of_the_run",
        "test_a_budget_replaces_the_earlier_one",
        "test_never_above_the_operator_s",
    ),
    "7.7 SET_BUDGET compares with the totals": (
        "test_a_budget_is_compared_with_the_totals_since_the_start",
    ),
    "7.7 what would exceed is refused, what runs is killed": (
        "test_a_command_that_would_exceed_is_refused_before_it_starts",
        "test_a_running_command_is_killed_when_time_is_up",
    ),
    # 10.1
    "10.1 what is refused": (
        "test_a_path_that_is_refused",
        "test_nul_is_refused",
        "test_a_refusal_cannot_be_caught",
        "test_a_literal_path_is_judged_before_anything_else_of_its_command",
    ),
    "10.1 links are resolved": (
        "test_a_link_that_leads_out_is_refused",
        "test_names_too_long_and_links_in_a_circle_are_io",
    ),
    "10.1 relative to the real path of the root": (
        "test_a_root_that_is_a_link_is_its_real_path",
        "test_the_root_is_the_current_directory_unless_given",
        "test_the_root_itself_exists",
    ),
    "10.1 components from left to right": (
        "test_a_path_that_leads_to_a_file",
        "test_a_name_that_only_looks_refused",
        "test_a_write_through_a_link_lands_where_it_led",
        "test_delete_with_a_slash_or_a_dot_at_the_end",
    ),
    "10.1 a step back after a missing component": (
        "test_a_dotted_step_back_removes_a_missing_component_before_anything_is_made",
    ),
    "10.1 DELETE resolves all but the last": (
        "test_delete_resolves_all_but_the_last_component",
        "test_delete_with_a_step_back_at_the_end_resolves_it",
    ),
    "10.1 check and use are one act": (
        "test_paths.py::test_a_race_of_links_leaks_nothing",
        "test_paths_directories.py::test_a_race_of_links_changes_nothing_outside",
    ),
    "10.1 version control is not changed": (
        "test_version_control_is_not_changed",
        "test_a_link_to_version_control_does_not_help",
        "test_a_link_to_version_control_may_be_deleted_but_not_in_it",
        "test_other_names_are_free",
    ),
    "10.1 READ and EXISTS are not refused": ("test_version_control_may_be_read",),
    # 10.2
    "10.2 standard is the default": ("test_standard_is_the_default",),
    "10.2 granted whole or refused": (
        "test_a_profile_is_granted_whole_or_nothing_starts",
        "test_an_unknown_profile_is_wrong_usage",
    ),
    "10.2 files": (
        "test_the_root_is_read_write_and_system_directories_are_read_only",
        "test_programs_and_the_interpreter_run",
        "test_everything_else_is_hidden",
        "test_tmp_is_private",
    ),
    "10.2 network": (
        "test_nothing_outside_is_reachable_unless_the_network_is_allowed",
        "test_an_open_network_changes_nothing_else",
        "test_no_socket_leads_to_a_program_outside",
        "test_a_private_loopback",
    ),
    "10.2 processes": (
        "test_no_process_outside_is_seen_or_touched",
        "test_no_process_outlives_its_command",
    ),
    "10.2 environment": (
        "test_the_environment_is_small",
        "test_a_language_that_is_not_utf_8_is_replaced",
        "test_home_and_tmpdir_are_fresh_for_each_run",
    ),
    "10.2 limits": ("test_limits_hold_for_the_whole_tree", "test_the_default_limits"),
    "10.2 gaps": (
        "test_what_was_obtained_stands_in_the_report_and_in_run_start",
        "test_doctor.py::test_every_gap_is_explained_and_strict_accepts_none",
    ),
    "10.2 strict": (
        "test_strict_has_no_gaps_and_no_network",
        "test_strict_refuses_a_plan_with_env",
        "test_under_strict_these_flags_are_wrong_usage",
        "sandbox/test_limits.py::test_strict_has_smaller_limits_and_they_can_be_raised",
    ),
    "10.2 none": (
        "test_none_says_so_in_a_banner",
        "test_none_says_what_it_is",
        "test_a_script_cannot_turn_the_sandbox_off",
    ),
    "10.2 what was obtained is reported": (
        "test_what_was_obtained_stands_in_the_report_and_in_run_start",
        "test_it_is_null_for_a_plan_without_run_and_in_a_dry_run",
    ),
    "10.2 what is guarded in a repository": (
        "test_what_is_guarded_comes_out_as_it_was",
        "test_a_git_that_exists_cannot_be_replaced",
        "test_tiss_in_the_root_is_guarded",
    ),
    "10.2 a repository that the command made": (
        "test_a_new_git_that_is_a_file_or_a_link_goes",
        "test_of_a_new_repository_stays_what_runs_nothing",
        "test_a_new_tiss_goes",
    ),
    "10.2 git in its daily use": (
        "test_init_configure_and_commit_then_commit_but_not_configure",
        "test_nothing_undone_nothing_listed",
        "sandbox/git/test_git_runs_nothing.py::test_the_operators_git_runs_nothing_of_the_command",
    ),
    # 10.3
    "10.3 split into simple commands": ("test_simple_commands_are_found_everywhere",),
    "10.3 what stands in front is skipped": ("test_what_stands_in_front_is_skipped",),
    "10.3 quote removal and position": (
        "test_words_are_compared_after_quote_removal",
        "test_position_decides",
    ),
    "10.3 the final text": ("test_the_final_text_is_judged",),
    "10.3 deny": (
        "test_denied",
        "test_free",
        "test_a_denied_command_does_nothing",
        "test_a_path_that_leaves_the_root_is_seen_from_the_directory_of_the_command",
    ),
    "10.3 ask": ("test_asked", "test_approval_lets_a_command_run"),
    "10.3 --allow-command and --deny-command": ("test_the_operator_adjusts_the_lists",),
    # 10.4
    "10.4 the environment variable as a variable": (
        "test_a_secret_is_the_variable_of_that_name",
        "test_without_the_flag_the_environment_gives_no_variables",
        "test_check_and_lint_take_the_name",
    ),
    "10.4 unset is wrong usage": ("test_an_unset_variable_is_wrong_usage",),
    "10.4 masked in every form": (
        "test_no_text_of_report_or_events_has_it_in_any_form",
        "test_nothing_that_is_printed_has_it",
        "test_a_diagnostic_does_not_show_it",
        "test_a_dry_run_does_not_show_it_either",
    ),
    "10.4 four characters or more": ("test_four_characters_or_more",),
    "10.4 longest first, before any cutting": (
        "test_the_longest_goes_first",
        "test_masking_comes_before_cutting",
    ),
    "10.4 names, numbers, files and prompts are not touched": (
        "test_the_agent_is_told_the_secret_itself",
        "test_names_and_numbers_are_not_touched",
        "test_a_secret_is_the_variable_of_that_name",
    ),
    # 11
    "11 no effect": ("test_no_effect", "test_as_a_process"),
    "11 no file content is read": ("test_no_file_is_read",),
    "11 parses and checks": ("test_a_plan_that_is_wrong_is_refused",),
    "11 safety as in a run": ("test_what_safety_refuses_is_refused",),
    "11 a command that needs approval": (
        "test_a_command_that_needs_approval_is_listed_and_taken_as_approved",
    ),
    "11 ERROR is unknown in a CATCH": ("test_what_an_error_is_is_unknown_in_a_catch",),
    "11 unknown values spread": ("test_an_unknown_value_spreads_and_prints_as_its_name",),
    "11 an unknown path passes": ("test_a_path_that_is_unknown_passes",),
    "11 WRITE is remembered until the next RUN": (
        "test_a_written_file_is_known_until_the_next_run",
        "test_what_was_written_last_is_known",
        "test_unknown_text_that_was_written_is_unknown",
    ),
    "11 MKDIR and DELETE are remembered": (
        "test_what_exists_is_known_when_it_is_remembered",
        "test_read_of_a_file_that_was_deleted",
    ),
    "11 READ and EXISTS are unknown unless remembered": (
        "test_what_exists_is_known_when_it_is_remembered",
        "test_a_written_file_is_known_until_the_next_run",
    ),
    "11 RUN": ("test_a_run_makes_last_run_unknown",),
    "11 ASSERT": (
        "test_an_assertion_that_is_known_is_decided",
        "test_an_assertion_that_is_unknown_is_listed_and_passes",
    ),
    "11 IF": (
        "test_a_known_if_walks_its_branch",
        "test_an_unknown_if_walks_both_branches_from_the_state_before",
        "test_a_name_of_one_branch_alone_is_unknown_too",
        "test_what_one_branch_remembers_the_other_does_not",
        "test_a_run_in_one_branch_makes_last_run_unknown",
    ),
    "11 TRY": (
        "test_try_walks_its_body_then_catch_as_conditional",
        "test_names_that_catch_assigns_become_unknown",
        "test_an_error_that_try_would_catch_does_not_end_the_walk",
    ),
    "11 would_fail in a conditional branch": (
        "test_an_error_in_a_conditional_branch_ends_that_branch_only",
        "test_an_error_of_a_catch_ends_that_catch_only",
        "test_an_error_in_a_step_of_a_conditional_branch",
    ),
    "11 CHOOSE": (
        "test_a_choice_that_is_known",
        "test_a_choice_that_is_open_walks_all_options",
        "test_the_answers_go_to_the_same_questions_as_in_a_run",
    ),
    "11 PROMPT_AGENT": (
        "test_the_reply_of_an_agent_is_unknown",
        "test_a_prompt_counts_against_api_calls",
    ),
    "11 PAUSE and REQUEST_REVIEW": ("test_questions_are_listed_and_taken_as_answered",),
    "11 LOG VAR CALL PARALLEL SET_BUDGET as in a run": (
        "test_the_rest_is_as_in_a_run",
        "test_last_run_is_unset_after_parallel",
    ),
    "11 the plan": (
        "test_an_entry_for_each_command_and_each_if_and_choose",
        "test_a_run_has_no_plan",
    ),
    "11 a summary is one line of 120 characters": (
        "test_a_summary_is_one_line_of_120_characters_at_most",
    ),
    # 12
    "12 text, json and jsonl": (
        "test_text_is_progress_on_stdout_and_diagnostics_on_stderr",
        "test_nothing_but_the_report_is_on_standard_output",
        "test_jsonl_is_one_object_a_line_and_the_same_as_the_file",
    ),
    "12 a report for every exit code but 2": (
        "test_the_report_is_written_for_every_exit_code",
        "test_for_usage_there_is_no_report",
        "test_an_internal_error_has_a_report_too",
        "test_an_internal_error_is_one_line_and_how_to_get_the_traceback",
        "test_an_interrupted_run_has_a_report_too",
    ),
    "12 the fields of a report": (
        "test_the_report_is_written_for_every_exit_code",
        "test_the_root_is_absolute_and_the_script_as_given",
        "test_the_report_is_json",
        "test_an_integer_of_any_size_can_be_reported",
        "test_an_integer_of_any_size_can_be_printed",
        "test_cost_has_all_counters",
    ),
    "12 task and variables": (
        "test_task_is_the_description_or_null",
        "test_variables_are_sorted_by_name_and_keep_their_types",
    ),
    "12 long texts are clipped": (
        "test_long_texts_are_cut_and_named",
        "test_cutting_concerns_the_report_alone",
    ),
    "12 steps": (
        "test_steps_in_order_of_entry",
        "test_a_step_that_is_never_entered_stands_where_its_turn_would_have_been",
        "test_steps_of_parallel_are_in_source_order",
        "test_top_level_is_directly_in_the_script_or_the_task",
    ),
    "12 attempts": ("test_attempts_counts_the_runs_of_the_body",),
    "12 last_run": ("test_last_run", "test_the_streams_of_last_run_are_cut"),
    "12 files_written": ("test_files_written",),
    "12 the error": (
        "test_the_error_that_ended_the_run",
        "test_of_a_failed_assertion_it_is_the_object_of_section_5",
        "test_a_refused_script",
    ),
    "12 caught and suppressed": ("test_caught_and_suppressed_hold_errors",),
    "12 seq and time of an event": ("test_they_are_numbered_timed_and_nested",),
    "12 texts of events are cut": ("test_texts_are_cut_except_in_run_end",),
    "12 a dry run sends run_start and run_end only": ("test_two_events_only",),
    "12 --events beside any format": ("test_a_file_of_events_beside_any_format",),
    "12 event run_start": ("test_every_event_has_its_fields", "test_run_start_and_run_end"),
    "12 event step_start and step_end": ("test_every_event_has_its_fields", "test_steps"),
    "12 event command_start and command_end": (
        "test_every_event_has_its_fields",
        "test_commands",
        "test_the_end_of_a_command",
    ),
    "12 event assert": ("test_the_events_of_single_commands", "test_the_operands_of_an_assertion"),
    "12 event log": ("test_every_event_has_its_fields", "test_the_events_of_single_commands"),
    "12 event caught": (
        "test_every_event_has_its_fields",
        "test_caught_follows_the_ends_of_everything_that_the_error_left",
    ),
    "12 event agent": ("test_every_event_has_its_fields", "test_the_events_of_single_commands"),
    "12 event question": (
        "test_every_event_has_its_fields",
        "test_the_events_of_single_commands",
        "test_who_answered",
    ),
    "12 event choose": ("test_every_event_has_its_fields", "test_the_events_of_single_commands"),
    "12 event estimate": ("test_every_event_has_its_fields", "test_an_estimate_is_an_event"),
    "12 event run_end": (
        "test_run_start_and_run_end",
        "test_run_end_is_the_last_line_after_an_error_too",
        "test_a_refused_script_has_events_too",
    ),
    "12 what lies between": ("test_what_lies_between_start_and_end_of_its_command",),
    "12 branch and nesting in PARALLEL": ("test_in_parallel_every_event_has_its_branch",),
    # 15
    "15 FILE may be a dash": ("test_file_may_be_a_dash",),
    "15 every command takes --output-format and --color": (
        "test_every_command_takes_a_format_and_a_colour",
    ),
    "15 NO_COLOR": ("test_colour", "test_colour_in_a_terminal"),
    "15 tiss run": ("test_the_program_is_called_tiss", "test_ten_thousand_steps"),
    "15 tiss check": ("test_check", "test_several_files", "test_a_diagnostic_in_json"),
    "15 tiss lint": (
        "test_lint",
        "test_fail_on",
        "test_select_and_ignore",
        "test_a_syntax_error_cannot_be_ignored",
        "test_fix_mends_what_it_can",
        "test_several_files",
    ),
    "15 tiss fmt": (
        "test_fmt_writes_in_place",
        "test_fmt_of_a_dash_writes_to_standard_output",
        "test_check_and_diff_write_nothing",
        "test_fmt_changes_nothing_that_does_not_parse",
    ),
    "15 tiss ast": ("test_ast_is_json",),
    "15 tiss list": ("test_list_shows_steps_sub_tasks_and_variables",),
    "15 tiss lsp": ("test_lsp",),
    "15 tiss doctor": ("test_doctor", "test_doctor.py::test_without_a_sandbox_it_says_what_to_do"),
    "15 tiss version": ("test_version",),
    "15 exit 2 for usage everywhere": (
        "test_exit_2_for_usage_everywhere",
        "test_a_bad_flag_is_exit_2_and_nothing_runs",
    ),
    "15 flag --root": ("test_root", "test_a_root_that_is_no_directory_is_wrong_usage"),
    "15 flag --dry-run": ("test_dry_run",),
    "15 flag --output-format": ("test_the_report_is_written_for_every_exit_code",),
    "15 flag --events": ("test_a_file_of_events_beside_any_format",),
    "15 flag --var": (
        "test_var_is_text_and_may_be_repeated",
        "test_names_of_the_operator_count_as_assigned",
    ),
    "15 flag --timeout": ("test_timeout",),
    "15 flag --max-output": ("test_max_output_and_the_forms_of_bytes",),
    "15 flags --max-memory --max-processes --max-disk": (
        "test_limits_hold_for_the_whole_tree",
        "test_jobs_allow_network_and_limits_are_taken",
    ),
    "15 BYTES": (
        "test_max_output_and_the_forms_of_bytes",
        "test_other_forms_of_bytes_are_wrong_usage",
    ),
    "15 flag --sandbox-profile": ("test_none_says_so_in_a_banner",),
    "15 flag --allow-network": (
        "test_nothing_outside_is_reachable_unless_the_network_is_allowed",
        "test_jobs_allow_network_and_limits_are_taken",
    ),
    "15 flags --non-interactive --answer --yes": (
        "test_answer_yes_and_non_interactive",
        "test_a_person_at_the_terminal_is_asked",
    ),
    "15 flags --allow-command --deny-command": ("test_allow_and_deny_command",),
    "15 flag --env": ("test_env",),
    "15 flag --keep-going": ("test_keep_going",),
    "15 flags --agent --choose-by --budget": ("test_agent_choose_by_and_budget",),
    "15 flag --jobs": (
        "test_jobs_allow_network_and_limits_are_taken",
        "test_at_most_as_many_run_at_once_as_jobs_says",
    ),
    "15 flag --secret": ("test_secret", "test_names_of_the_operator_count_as_assigned"),
    "15 flags --step --from-step": (
        "test_which_steps_run",
        "test_step_may_be_repeated",
        "test_an_exact_description_of_a_top_level_step",
        "test_steps_of_a_task_with_a_block",
        "test_the_analysis_of_names_sees_all_steps",
    ),
    "15 flag --junit": (
        "test_junit_has_one_suite_a_script_and_one_case_a_step",
        "test_junit_of_a_script_that_is_refused",
    ),
    "15 cells": (
        "test_magic.py::test_a_plan_that_passes",
        "test_magic.py::test_variables_are_passed_only_when_named",
    ),
    "15 targets": (
        "test_ten_thousand_steps",
        "cli/test_start_up.py::test_importing_costs_next_to_nothing",
    ),
    # 16
    "16 parse": ("test_parse_returns_a_dict_or_raises",),
    "16 check, lint, format_source": ("test_check_lint_and_format_source",),
    "16 execute": (
        "test_execute_takes_a_script_dict_or_a_list_of_commands",
        "test_a_list_needs_no_positions",
        "test_execute_never_raises_an_error_of_the_language",
        "test_engines_can_be_used_again",
    ),
    "16 run": (
        "test_run_does_it_all_in_one_call",
        "test_the_root_is_the_current_directory_by_default",
    ),
    "16 options": (
        "test_options_are_the_flags_in_snake_case",
        "test_an_unknown_option_is_an_error_of_the_caller",
    ),
    "16 State": (
        "test_a_tool_gets_the_state_and_evaluated_arguments",
        "test_last_run_result_is_none_before_a_run",
        "test_the_run_is_halted_by_an_error",
    ),
    "16 ToolRegistry": (
        "test_get_tool",
        "test_a_tool_gets_the_state_and_evaluated_arguments",
        "test_a_tool_changes_the_state",
        "test_a_tool_gets_paths_already_checked",
        "test_an_error_that_a_tool_raises_is_caught_like_any_other",
    ),
    "16 an unknown type": (
        "test_an_unknown_type_serves_lists_and_does_not_extend_the_grammar",
        "test_a_type_that_nobody_registered",
    ),
    "16 the family of errors": ("test_the_family_of_errors", "test_what_errors_carry"),
    "16 256 levels": ("test_256_levels", "test_a_long_chain_of_else_if"),
}
