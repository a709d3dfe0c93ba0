import JSON
@_spi(Begat) import UnixCore

/// `begat signals`: which signals there are.
public struct SignalsClient: Sendable {
  /// What to show, as the user named it; empty for all.
  public var names: [String]
  public var printsJSON: Bool

  public init(names: [String], printsJSON: Bool = false) {
    self.names = names
    self.printsJSON = printsJSON
  }

  /// Prints them; a name that none has is said on standard error, and the others are shown.
  ///
  /// - Returns: whether there was a signal for every name.
  public func run() -> Bool {
    let command = CommandRun(command: "begat signals")
    return command.attempt(failure: false) {
      let (signals, unknown) = selection
      if !signals.isEmpty || printsJSON { try StandardStream.output.write(printsJSON ? json(signals) : table(signals)) }
      for name in unknown { command.complain("\(name): no such signal") }
      return unknown.isEmpty
    }
  }

  /// In the order of the names.
  var selection: (signals: [Signal], unknown: [String]) {
    if names.isEmpty { return (Signal.all, []) }
    var signals: [Signal] = []
    var unknown: [String] = []
    for name in names { if let signal = Signal(name) { signals.append(signal) } else { unknown.append(name) } }
    return (signals, unknown)
  }

  func table(_ signals: [Signal]) -> String {
    var table = TextTable(.right, .left, .left, .left, .left)
    table.add("NUMBER", "NAME", "ALIASES", "DEFAULT", "TEXT")
    for signal in signals {
      table.add(
        String(signal.rawValue), signal.name, signal.aliases.joined(separator: ","), word(signal.defaultAction),
        signal.text)
    }
    return table.text
  }

  func json(_ signals: [Signal]) -> String {
    let objects = signals.map { signal in
      [
        "number": .count(signal.rawValue), "name": .string(signal.name),
        "aliases": .array(signal.aliases.map { .string($0) }), "default": .string(word(signal.defaultAction)),
        "text": .string(signal.text),
      ] as JSONValue
    }
    return JSONValue.array(objects).text + "\n"
  }

  private func word(_ action: Signal.DefaultAction) -> String {
    switch action {
    case .terminate: "terminate"
    case .dumpCore: "core"
    case .stop: "stop"
    case .continue: "continue"
    case .ignore: "ignore"
    }
  }
}
