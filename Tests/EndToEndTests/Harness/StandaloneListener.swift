import Testing
@_spi(Begat) import UnixCore

/// A begat-listener without begatd, as people start it by hand.
final class StandaloneListener {
  let program: RunningProgram
  /// What it listens on, from its own words.
  let addresses: [String]

  init(_ service: String, _ options: [String] = ["--listen-stream", "127.0.0.1:0"]) throws {
    program = try RunningProgram(try Programs.listener(), ["--serve", service] + options)
    let beginning = "begat-listener: \(service): ready on "
    let line = try program.errors.awaitLines(containing: beginning)[0]
    addresses = line.dropFirst(beginning.count).split(separator: ",").map { String($0.drop { $0 == " " }) }
  }

  var address: String { addresses[0] }

  /// Asks it to stop and asserts that it does.
  func stop(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try program.send(.terminate)
    #expect(try program.awaitEnd() == .exited(code: 0), "\(program.errors.text)", sourceLocation: sourceLocation)
    #expect(program.errors.awaitEnd(within: .seconds(2)), "a process is left", sourceLocation: sourceLocation)
  }
}
