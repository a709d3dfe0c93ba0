import Administration
import ArgumentParser

/// Options of `begat status` that write metrics.
struct MetricsOptions: ParsableArguments {
  @Flag(help: "Print metrics in the text format of Prometheus; begat_up is 0 if no begatd answers.")
  var prometheus = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the metrics to this file, which is replaced whole.", valueName: "file"),
    completion: .file())
  var output: String?

  func validate() throws {
    if output != nil, !prometheus { throw ValidationError("--output is for metrics: give --prometheus too") }
    if output?.isEmpty == true { throw ValidationError("--output: the name is empty") }
  }

  /// Asserts that no metrics are asked for together with another form of output.
  func ensureAbsent(beside option: String) throws {
    if prometheus { throw ValidationError("--prometheus and \(option) exclude each other") }
  }

  /// Writes the metrics, and ends with the status that belongs to them.
  func run(socket: String?) throws {
    let status = MetricsCommand(socket: socket, file: output).run()
    if status != 0 { throw ExitCode(status) }
  }
}
