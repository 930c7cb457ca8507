"""Sections 1 to 5, 8, 9, 13, 14, 17 and 18 of the language reference: the tests of each clause."""

STATEMENTS = (
    "TASK SETUP STEP DEFINE_TASK DIRECTIVE READ WRITE RUN ASSERT VAR LOG MKDIR DELETE CALL"
    " PROMPT_AGENT SET_BUDGET PAUSE REQUEST_REVIEW IF TRY PARALLEL CHOOSE OPTION ESTIMATE_COST"
)
PRODUCTION = ("test_every_production_as_it_stands", "test_nothing_else_is_a_statement")
FIELDS = ("test_the_fields_of_every_type", "test_every_node_has_a_place_and_the_tree_is_json")
RULES = [f"T{n}" for n in (*range(201, 220), *range(301, 311)) if n not in (211, 217)]
RULE = ("test_what_each_rule_finds_and_what_not", "test_every_rule_has_its_severity")
RUNTIME = ("test_runtime_kinds", "test_the_exit_code_of_tiss_run")
KINDS = "assert undefined type io decode timeout agent security budget human"
RESERVED = "FOR WHILE INCLUDE FINALLY RETURN MATCHES AND OR"

CLAUSES: dict[str, tuple[str, ...]] = {
    # 1 Text and tokens
    "1 encoding, one byte order mark": (
        "test_one_byte_order_mark_is_skipped_and_takes_no_column",
        "test_a_second_byte_order_mark_is_a_character_like_any_other",
    ),
    "1 invalid UTF-8, NUL, a lone CR": ("test_bad_characters_are_refused_anywhere",),
    "1 CRLF": ("test_crlf_is_a_line_end_everywhere",),
    "1 a last line without a newline": ("test_a_last_line_without_a_newline_is_complete",),
    "1 limits of size and nesting": (
        "test_source_is_limited_to_8_mib_of_utf8",
        "test_blocks_nest_256_levels",
    ),
    "1 positions": ("test_columns_are_code_points_from_1", "test_only_a_newline_ends_a_line"),
    "1 white space": (
        "test_spaces_and_tabs_separate_tokens",
        "test_any_other_character_is_unexpected",
        "test_the_hint_names_the_code_point",
        "test_the_hint_for_curly_quotes_names_the_straight_one",
    ),
    "1 comments": ("test_comments_mean_nothing", "test_a_hash_in_text_is_no_comment"),
    "1 where a statement ends": (
        "test_a_statement_is_one_line",
        "test_a_statement_ends_at_a_newline_a_brace_or_the_end",
    ),
    "1 newlines before ELSE and CATCH": ("test_newlines_before_else_and_catch_mean_nothing",),
    "1 what may follow a brace": ("test_another_brace_and_a_comment_may_follow_a_brace",),
    "1 blank lines": ("test_blank_and_comment_lines_are_the_empty_script",),
    "1 keywords are upper case": ("test_keywords_are_upper_case",),
    "1 names and reserved words": (
        "test_names",
        "test_names_are_case_sensitive",
        "test_other_words_are_no_names",
        "test_reserved_words_are_no_names",
    ),
    "1 numbers": (
        "test_numbers",
        "test_integers_have_any_size",
        "test_integers_of_any_size_are_printed",
        "test_no_other_spelling_is_a_number",
    ),
    "1 durations": ("test_durations", "test_no_other_spelling_is_a_duration"),
    "1 booleans": ("test_booleans",),
    "1 strings stay on one line": ("test_a_string_stays_on_one_line",),
    "1 double quotes": (
        "test_double_quoted_strings",
        "test_other_escapes_are_refused_at_the_backslash",
        "test_only_double_quoted_strings_are_interpolated",
    ),
    "1 single quotes": (
        "test_single_quoted_strings_stand_for_themselves",
        "test_a_single_quoted_string_holds_no_single_quote",
    ),
    "1 openers of heredocs": (
        "test_four_openers",
        "test_the_word_is_any_word",
        "test_no_other_opener",
        "test_a_comment_may_follow_the_opener",
        "test_nothing_else_follows_the_opener",
    ),
    "1 terminators of heredocs": (
        "test_what_is_not_the_terminator_is_content",
        "test_blanks_after_the_terminator_are_ignored",
        "test_an_indented_terminator_has_any_indent",
        "test_a_body_without_a_terminator",
        "test_the_hint_for_an_indented_terminator",
    ),
    "1 the common indent": (
        "test_the_common_indent_goes",
        "test_a_value_has_no_part_in_the_common_indent",
    ),
    "1 what is special in a body": (
        "test_in_a_body_nothing_else_is_special",
        "test_a_brace_may_stand_before_an_interpolation_in_a_body",
    ),
    "1 every body line ends with a newline": (
        "test_every_line_of_a_body_ends_with_a_newline",
        "test_the_bytes_that_a_body_writes",
    ),
    "1 the token stream": ("test_after_a_body_the_script_goes_on", "test_the_tree_is_json"),
    # 2 Grammar
    **{f"2 {keyword} as a production": PRODUCTION for keyword in STATEMENTS.split()},
    "2 the grammar has no conflicts and is an oracle": (
        "syntax/test_grammar.py::test_the_grammar_has_no_conflicts",
        "syntax/test_grammar.py::test_valid_scripts",
        "syntax/test_grammar.py::test_broken_scripts",
        "test_the_two_tables_have_every_keyword",
    ),
    "2 conditions": ("test_conditions",),
    "2 operands": ("test_references", "test_nothing_else_is_an_operand"),
    "2 an unknown command or another mismatch": (
        "test_a_statement_that_begins_with_another_word",
        "test_a_statement_that_begins_with_no_word",
        "test_else_and_catch_continue_what_is_before_them",
    ),
    "2 hints": (
        "test_hints_for_what_is_often_tried",
        "test_the_hint_names_the_nearest_keyword",
        "test_the_hint_says_that_commands_are_upper_case",
    ),
    "2 placement of TASK": (
        "test_at_most_one_task",
        "test_a_task_stands_at_top_level",
        "test_commands_and_blocks_do_not_stand_before_the_task",
        "test_directives_and_definitions_may_stand_before_the_task",
        "test_only_definitions_follow_a_task_with_a_block",
        "test_a_definition_may_follow_a_task_with_a_block",
        "test_a_task_without_a_block_owns_the_rest_of_the_file",
    ),
    "2 no TASK": ("test_with_no_task_every_statement_may_stand_at_top_level",),
    "2 placement of SETUP and DEFINE_TASK": (
        "test_setup_and_definitions_stand_at_the_top",
        "test_setup_precedes_the_first_step",
    ),
    "2 placement of STEP": ("test_where_a_step_may_stand", "test_a_step_is_inside_however_deep"),
    "2 what PARALLEL holds": (
        "test_parallel_holds_only_steps",
        "test_what_a_parallel_holds_at_no_depth",
    ),
    "2 what CHOOSE holds": (
        "test_choose_holds_only_options",
        "test_the_hint_for_a_step_in_choose",
        "test_choose_holds_at_least_one_option",
        "test_an_option_stands_in_choose",
    ),
    "2 ERROR only inside CATCH": (
        "test_error_is_known_only_in_catch",
        "test_a_sub_task_called_in_catch_does_not_lie_in_it",
    ),
    # 3 AST
    **{f"3 fields of {keyword}": FIELDS for keyword in STATEMENTS.split()},
    "3 SCRIPT": ("test_the_script",),
    "3 positions": (
        "test_a_node_ends_with_its_last_token",
        "test_a_node_begins_at_its_first_token",
    ),
    "3 text": ("test_text_has_no_empty_and_no_adjacent_literals",),
    "3 expressions": ("test_expressions",),
    "3 conditions": ("test_conditions_in_the_tree",),
    "3 both forms of TASK walk alike": ("test_both_forms_of_task_walk_alike",),
    "3 comments are not in the tree": ("test_comments_are_not_in_the_tree",),
    "3 the example": ("test_the_node_of_the_example",),
    # 4 Values, variables, interpolation
    "4.1 three types and their text": (
        "test_the_text_form_of_a_value",
        "test_a_duration_is_a_number_of_seconds",
        "test_values_keep_their_type",
    ),
    "4.2 what binds": (
        "test_what_binds_a_name",
        "test_a_value_of_the_operator_is_always_text",
        "test_a_default_binds_only_what_is_unset",
    ),
    "4.2 one scope": (
        "test_assignment_replaces_value_and_type",
        "test_blocks_open_no_scopes",
        "test_a_parameter_shadows_until_the_call_returns",
        "test_what_a_sub_task_calls_sees_its_parameters",
        "test_parallel_branches_work_on_copies",
    ),
    "4.2 LAST_RUN": (
        "test_the_fields_of_the_latest_run",
        "test_bad_bytes_and_signals_and_the_limit_of_output",
        "test_the_command_is_the_text_as_executed",
    ),
    "4.2 ERROR": ("test_the_error_that_is_handled",),
    "4.2 COST": ("test_the_cost_so_far",),
    "4.2 read-only and known fields": (
        "test_pseudo_variables_are_read_only",
        "test_the_fields_there_are_and_no_others",
    ),
    "4.2 undefined names": (
        "test_a_use_that_is_certain_to_fail_is_a_static_error",
        "test_a_use_that_is_certain_to_fail_stops_the_plan_before_any_effect",
        "test_names_of_the_operator_count_as_assigned",
        "test_check_and_lint_accept_the_operator_s_names",
        "test_what_only_some_paths_assign_is_a_warning",
        "test_a_run_that_takes_the_wrong_path_raises_undefined",
    ),
    "4.3 the pattern": (
        "test_what_is_replaced",
        "test_what_stays_as_it_is",
        "test_an_interpolation_stays_on_its_line",
        "test_lint_points_at_what_only_looks_like_one",
    ),
    "4.3 one pass": (
        "test_a_value_is_never_interpolated_again",
        "test_halves_of_a_pattern_do_not_join",
    ),
    "4.3 errors point at the braces": (
        "test_errors_point_at_the_braces",
        "test_the_hint_in_a_heredoc_offers_both_ways_out",
    ),
    "4.3 filters": (
        "test_filters",
        "test_trim_and_json_give_text_and_raw_changes_nothing",
        "test_operands_take_filters",
    ),
    "4.3 what is interpolated": (
        "test_what_is_interpolated",
        "test_questions_are_interpolated",
        "test_directive_values_are_evaluated_once_when_reached",
        "test_names_and_descriptions_are_not_interpolated",
    ),
    "4.4 exactly the value": (
        "test_the_shell_yields_exactly_the_value",
        "test_a_heredoc_is_quoted_alike",
        "test_the_three_ways_print_the_same",
        "test_a_quoted_value_is_no_command_of_its_own",
    ),
    "4.4 what is inserted": ("test_what_is_inserted",),
    "4.4 the scan and T109": (
        "test_places_that_the_scan_does_not_follow",
        "test_without_a_reference_nothing_is_refused",
        "test_every_reference_is_told",
    ),
    "4.4 raw": (
        "test_a_raw_reference_may_stand_anywhere",
        "test_no_quoted_reference_beside_a_raw_one",
        "test_a_raw_text_goes_in_as_it_is",
        "test_the_command_policy_looks_at_the_result",
    ),
    "4.4 NUL": ("test_a_value_with_nul_is_a_type_error",),
    "4.4 one level of interpretation": ("test_lint_knows_what_quoting_does_not_protect",),
    # 5 Conditions
    "5 forms and coercion": (
        "test_when_a_condition_holds",
        "test_what_wc_printed",
        "test_a_type_error_can_be_caught",
    ),
    "5 FILE EXISTS": ("test_exists",),
    "5 no AND and no OR": ("test_there_is_no_and_and_no_or",),
    "5 the object of a failed ASSERT": (
        "test_the_whole_object",
        "test_the_operands",
        "test_the_operand_of_exists",
        "test_steps_run_from_the_outermost_inwards",
        "test_a_failed_assert_can_be_caught",
    ),
    "5 what is clipped": (
        "test_values_are_clipped_to_500_characters",
        "test_tails_are_the_last_2000_characters",
    ),
    "5 hints": ("test_hints",),
    # 8 Directives, header, version
    "8 where a directive holds": ("test_a_directive_holds_from_its_line_to_the_end_of_its_block",),
    "8 unknown names": ("test_unknown_names_are_kept",),
    "8 @persona @output @language": ("test_a_directive_is_passed_to_the_agent",),
    "8 @timeout": (
        "test_timeout_limits_each_run",
        "test_the_innermost_timeout_holds",
        "test_the_timeout_of_the_operator_is_not_widened",
        "test_a_malformed_known_directive",
    ),
    "8 @retry": (
        "test_retry_runs_the_body_again_and_keeps_the_state",
        "test_retry_ends",
        "test_no_error_no_repetition",
        "test_retry_does_not_repeat_what_cannot_be_caught",
        "test_retry_is_of_its_own_step",
        "test_retry_stands_first_in_a_step",
        "test_a_setup_is_a_step_too",
        "test_a_malformed_retry",
        "test_a_directive_reaches_an_event",
    ),
    "8 @cwd": (
        "test_cwd_is_the_directory_of_run_alone",
        "test_cwd_is_checked_at_each_run",
        "test_a_malformed_known_directive",
    ),
    "8 @env": (
        "test_env_is_the_environment_of_run",
        "test_env_of_the_operator_wins",
        "test_names_that_env_does_not_take",
        "test_names_that_env_takes",
        "test_a_malformed_known_directive",
    ),
    "8 the header zone": (
        "test_the_zone_is_what_stands_before_the_first_statement",
        "test_the_header_gives_the_language_by_default",
        "test_outside_the_zone_both_are_comments",
        "test_a_script_can_be_executable",
    ),
    "8 versions": (
        "test_versions_that_hold",
        "test_versions_that_do_not_hold_or_are_malformed",
        "test_all_versions_must_hold",
    ),
    # 9 Errors and exit codes
    "9 the form for people": (
        "test_the_diagnostic_of_the_example",
        "test_the_gutter_is_as_wide_as_the_line_number_plus_two",
        "test_the_caret_stands_below_the_column",
        "test_long_lines_are_cut_around_the_column",
    ),
    "9 the form for programs": ("test_the_fields_in_json", "test_the_report_lists_them_alike"),
    "9 the first syntax error, all static ones": (
        "test_the_parser_stops_at_its_first_error_and_the_checks_do_not",
    ),
    "9 once per code and position": ("test_a_diagnostic_is_given_once_per_code_and_position",),
    **{f"9 T{n:03} and its position": ("test_syntax_errors",) for n in range(1, 11)},
    **{f"9 T{n} and its position": ("test_static_errors",) for n in range(101, 112)},
    "9 hints of T002": ("test_the_hint_for_an_unknown_command",),
    "9 a second parameter of one name": ("test_a_second_parameter_of_one_name",),
    "9 refused before any effect": ("test_what_certainly_fails_has_no_effect",),
    **{f"9 {kind} at run time": RUNTIME for kind in KINDS.split()},
    "9 exit codes": (
        "test_exit_codes_without_effects",
        "test_an_internal_error_is_70",
        "test_an_interrupted_run_is_130",
        "test_events_show_an_error_at_its_command",
    ),
    # 13 Lint rules
    **{f"13 {rule}": RULE for rule in RULES},
    "13 rules whose token is not said": ("test_rules_whose_token_is_not_said",),
    "13 syntax and static errors too": ("test_syntax_and_static_errors_are_reported_too",),
    "13 sorted": ("test_findings_are_sorted_by_line_column_code",),
    "13 a secret is never repeated": (
        "test_the_message_about_a_secret_never_repeats_it",
        "test_nor_does_the_line_that_is_drawn",
    ),
    "13 ignore comments": (
        "test_a_comment_silences_a_rule_on_its_line",
        "test_a_comment_alone_silences_a_rule_on_the_next_line",
        "test_only_the_rule_that_it_names",
        "test_text_is_no_comment",
    ),
    "13 literal text alone": ("test_only_literal_text_is_looked_at",),
    "13 T305 in its closed list": (
        "test_a_variable_of_the_shell_in_arithmetic",
        "test_only_commands_run_code",
    ),
    # 14 Formatter
    "14 seven rules": (
        "test_each_rule",
        "test_comments_are_kept",
        "test_a_body_that_interpolates_keeps_its_blanks",
        "test_256_levels_are_formatted",
    ),
    "14 idempotent, and the tree stays": (
        "test_the_meaning_stays_and_a_second_time_changes_nothing",
    ),
    "14 what does not parse": (
        "test_what_does_not_parse_is_not_changed",
        "test_fmt_changes_nothing_that_does_not_parse",
    ),
    # 17 Decisions on the public spec
    "17 row 1": ("test_row_1_the_older_dialect_is_not_this_language",),
    "17 row 2": ("test_row_2_at_most_one_task_in_both_forms",),
    "17 row 3": ("test_row_3_setup_with_and_without_a_description",),
    "17 row 4": ("test_row_4_commands_stand_anywhere",),
    "17 row 5": ("test_row_5_a_heredoc_is_closed_by_its_word_alone",),
    "17 row 6": ("test_row_6_at_column_1_unless_asked_otherwise",),
    "17 row 7": ("test_row_7_every_line_of_a_heredoc_ends_with_a_newline",),
    "17 row 8": ("test_row_8_a_quoted_word_does_not_interpolate",),
    "17 row 9": ("test_row_9_six_escapes",),
    "17 row 10": ("test_row_10_single_quotes_everywhere",),
    "17 row 11": ("test_row_11_values_are_quoted_by_their_context",),
    "17 row 12": ("test_row_12_the_fields_of_last_run_are_upper_case",),
    "17 row 13": ("test_row_13_file_exists_is_two_words",),
    "17 row 14": ("test_row_14_then_is_read_and_goes",),
    "17 row 15": ("test_row_15_a_failed_assertion_halts_unless_told_to_go_on",),
    "17 row 16": ("test_row_16_errors_of_files_are_caught_and_security_is_not",),
    "17 row 17": ("test_row_17_a_non_zero_exit_is_data",),
    "17 row 18": ("test_row_18_security_is_outside_the_catchable_family",),
    "17 row 19": ("test_row_19_how_an_option_is_chosen",),
    "17 row 20": ("test_row_20_an_estimate_stands_anywhere",),
    "17 row 21": ("test_row_21_an_agent_sees_only_what_the_prompt_names",),
    "17 row 22": ("test_row_22_into_is_optional",),
    "17 row 23": ("test_row_23_budgets_take_durations_and_numbers",),
    "17 row 24": ("test_row_24_cost_has_a_unit",),
    "17 row 25": ("test_row_25_there_are_no_lists_and_no_objects",),
    "17 row 26": ("test_row_26_sub_tasks_are_called_with_parameters",),
    "17 row 27": ("test_row_27_a_dry_run_looks_at_paths_alone",),
    "17 row 28": ("test_row_28_execute_takes_a_tree_and_a_list",),
    "17 row 29": ("test_row_29_tokens_and_not_lines_decide",),
    "17 row 30": ("test_row_30_the_header_and_the_directive_name_a_language",),
    "17 row 31": ("test_row_31_the_report_states_which_sandbox_was_obtained",),
    "17 row 32": ("test_row_32_output_saves_nothing",),
    "17 row 33": ("test_row_33_an_escaped_brace_stays_literal",),
    "17 row 34": ("test_row_34_descriptions_may_be_empty",),
    "17 the example of the introduction": ("test_the_introduction_s_example",),
    # 18 Reserved
    **{
        f"18 {word} is reserved": (
            "test_a_reserved_word_is_refused_wherever_it_stands",
            "test_the_hint_says_so",
            "test_in_text_it_means_nothing",
        )
        for word in RESERVED.split()
    },
}
