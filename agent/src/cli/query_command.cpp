#include "cli/query_command.hpp"

#include <CLI/CLI.hpp>
#include <map>

#include "cli/command_options.hpp"

namespace nines::agent {
namespace {

const std::map<std::string, query::Format> kQueryOutputs = {{"table", query::Format::table},
                                                            {"json", query::Format::json},
                                                            {"ndjson", query::Format::ndjson},
                                                            {"csv", query::Format::csv},
                                                            {"raw", query::Format::raw}};

}  // namespace

void add_tail(CLI::App& root, TailOptions& o) {
  auto* app =
      root.add_subcommand("tail", "Print assembled records of logs, one JSON object a line");
  app->add_option("source", o.sources,
                  "Files (globs), or - (standard input), journal:[UNIT], kmsg:, vitals:, "
                  "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH, http://HOST/metrics")
      ->required();
  app->add_option("--exclude", o.exclude, "Files to leave out")->option_text("GLOB");
  app->add_option("--state", o.state, "Resume where the last call stopped")->option_text("DIR");
  app->add_option("--format", o.format, "auto, or what nines.yaml knows: json, nginx, csv, ...")
      ->capture_default_str();
  app->add_option("--pattern", o.pattern,
                  "Of the format: a log_format, an RE2 with named groups, ...");
  app->add_option("--multiline", o.multiline,
                  "auto, none, or an RE2 that the first line of a record matches")
      ->capture_default_str();
  app->add_option("--start", o.start,
                  "Where to start in files not seen before: beginning, end, or a time")
      ->capture_default_str();
  app->add_flag("--once", o.once, "Stop at the present end of the files");
  app->add_flag("--raw", o.raw, "Print the records as they were written");
  app->add_flag("--explain-format", o.explain_format,
                "Say on stderr how each file's format was found");
  add_output(app, o.output);
}

void add_query(CLI::App& root, QueryOptions& o) {
  auto* app = root.add_subcommand("query", "Ask logs where they lie, in SQL");
  app->add_option("sql", o.sql,
                  "SELECT ... FROM files('GLOB') | logs('NAME') ...; EXPLAIN [ANALYZE] shows what "
                  "runs where; @NAME runs a saved or standing one");
  app->add_option("file", o.files,
                  "Files, globs, folders or - (standard input), in place of logs(...)");
  app->add_option("--format", o.format, "Of the files: auto, json, nginx, csv, ...")
      ->capture_default_str();
  app->add_option("--pattern", o.pattern,
                  "Of the format: a log_format, an RE2 with named groups, ...");
  app->add_option("-o,--output", o.output,
                  "table, json, ndjson, csv, or raw (the lines as the log has them)")
      ->transform(CLI::CheckedTransformer(kQueryOutputs, CLI::ignore_case).description(""))
      ->option_text("FORMAT");
  app->add_option("--threads", o.threads, "Threads that read (default: one a core)")
      ->check(CLI::Range(0, 256))
      ->option_text("N");
  app->add_option("--max-memory", o.max_bytes,
                  "For groups, sessions, sorting; beyond it they are evicted, and counted")
      ->transform(CLI::AsSizeValue(false))
      ->option_text("BYTES");
  app->add_flag(
      "--follow", o.follow,
      "Show what is there, and then rows as they come (buckets of time once they are over)");
  app->add_option("--from", o.from, "With --follow, where to start in files: beginning or end")
      ->check(CLI::IsMember({"beginning", "end"}).description(""))
      ->option_text("PLACE");
  app->add_option("--notify", o.notify, "With --follow, post rows to this webhook as JSON")
      ->option_text("URL");
  app->add_option("--save", o.save, "Keep the statement, to be run as @NAME")->option_text("NAME");
  app->add_flag("--list", o.list, "List the saved statements and the standing ones");
  app->add_flag("--complete-fields", o.complete,
                "Print the fields of the given files, for shells that complete them");
  app->add_flag("!--no-progress", o.progress, "Do not show progress on the terminal");
  app->add_option("--nodes", o.nodes,
                  "Ask these nodes of the fleet as well as this one would be: all, or names and "
                  "globs")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  app->add_flag("--direct", o.direct,
                "Ask the nodes under peers: of nines.yaml from here, with its certificate and "
                "without an agent; so it is, too, when none answers");
  app->add_option("--ssh", o.ssh,
                  "Ask these hosts with your own ssh, no agent needed: the files named are theirs")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("HOST,...");
  app->add_option("--ssh-command", o.ssh_command, "How ssh is called, such as 'ssh -F FILE'")
      ->option_text("COMMAND");
  app->add_option("--ssh-binary", o.ssh_binary,
                  "With --ssh, the nines that is copied to hosts that have none (default: this)")
      ->option_text("FILE");
  app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  app->add_option("--token-file", o.token_file, "The agent's API token")->option_text("FILE");
  app->add_option("--state", o.common.state, "The agent's state directory, for its API token")
      ->option_text("DIR");
  app->add_option("--config", o.common.config, "Configuration of the agent")->option_text("FILE");
  app->add_flag("--by-sqlite{false}", o.native,
                "Let SQLite do whatever it can (slower; to compare both ways)")
      ->group("");
}

// What --ssh starts on every host: it need not know the other commands, which take half a
// millisecond to declare.
int run_node_command(int argc, char** argv, const Clock& clock) {
  CLI::App root("Nines", "nines");
  QueryOptions o;
  auto* app = root.add_subcommand("query-node", "Answer a query of --ssh; started by it");
  app->add_flag("--hello", o.hello);
  app->add_option("--greet", o.greet);
  app->add_option("--config", o.common.config);
  app->add_option("--threads", o.threads)->check(CLI::Range(0, 256));
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return root.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return run_query_node(o, clock);
}

}  // namespace nines::agent
