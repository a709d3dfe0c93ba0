/// A metric: its name, its meaning, and where its samples come from.
struct Metric: Sendable {
  /// The types of the text format.
  enum Kind: Sendable {
    case counter, gauge, histogram

    var word: StaticString {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  let name: StaticString
  let kind: Kind
  /// One sentence, without a line's end or a backslash.
  let help: StaticString
  private let addSamples: @Sendable (StatusReport, inout SampleWriter) -> Void

  private init(
    _ kind: Kind, _ name: StaticString, _ help: StaticString,
    _ addSamples: @escaping @Sendable (StatusReport, inout SampleWriter) -> Void
  ) {
    self.kind = kind
    self.name = name
    self.help = help
    self.addSamples = addSamples
  }

  /// A metric of begatd: it has no samples where no begatd answers.
  static func daemon(
    _ kind: Kind, _ name: StaticString, _ help: StaticString,
    _ add: @escaping @Sendable (DaemonStatus, inout SampleWriter) -> Void
  ) -> Metric {
    Metric(kind, name, help) { report, samples in
      if let daemon = report.daemon { add(daemon, &samples) }
    }
  }

  /// A metric that each service has.
  static func service(
    _ kind: Kind, _ name: StaticString, _ help: StaticString,
    _ add: @escaping @Sendable (ServiceStatus, inout SampleWriter) -> Void
  ) -> Metric {
    Metric(kind, name, help) { report, samples in
      for service in report.services { add(service, &samples) }
    }
  }

  /// A metric of the whole report.
  static func report(
    _ kind: Kind, _ name: StaticString, _ help: StaticString,
    _ add: @escaping @Sendable (StatusReport, inout SampleWriter) -> Void
  ) -> Metric { Metric(kind, name, help, add) }

  /// Appends the lines of the metric: a head even if it has no samples now, which readers accept.
  func append(_ report: StatusReport, to output: inout [UInt8]) {
    output.append("# HELP ")
    output.append(name)
    output.append(" ")
    output.append(help)
    output.append("\n# TYPE ")
    output.append(name)
    output.append(" ")
    output.append(kind.word)
    output.append("\n")
    var samples = SampleWriter(name, taking: &output)
    addSamples(report, &samples)
    swap(&output, &samples.output)
  }
}
