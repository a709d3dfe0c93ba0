import Settings
@_spi(Begat) import UnixCore

/// Why a step of a conversation did not succeed.
struct StepFailure: Error {
  enum Reason: Error {
    /// With the last bytes that had come.
    case late(Duration, seen: [UInt8])
    case ended(seen: [UInt8])
    /// The program takes no more input.
    case refused
    case lineTooLong
    case other(String)

    func blotting(_ secrets: SentSecrets) -> Reason {
      switch self {
      case .late(let limit, let seen): .late(limit, seen: Self.blot(seen, secrets))
      case .ended(let seen): .ended(seen: Self.blot(seen, secrets))
      case .refused, .lineTooLong, .other: self
      }
    }

    private static func blot(_ seen: [UInt8], _ secrets: SentSecrets) -> [UInt8] {
      // As many as a conversation shows of what waits.
      secrets.blotted(seen, isCut: seen.count >= 256)
    }
  }

  /// From 1.
  let number: Int
  let step: ConversationStep
  let reason: Reason

  /// `step 2, --expect "Password: ": nothing like it after 10s; last came: "Login incorrect\x0d\x0a"`.
  ///
  /// What was sent is not shown: it may be a password.  Nor is its echo, but for what was in the command line.
  ///
  /// - Parameter status: how the program ended, where it did so itself.
  func text(_ status: ExitStatus?) -> String {
    let end = status.map { " (\($0))" } ?? ""
    let reason =
      switch reason {
      case .late(let limit, let seen): "\(lateness) after \(DurationText.render(limit))\(tail(seen))"
      case .ended(let seen): "the program has ended\(end)\(tail(seen))"
      case .refused: "the program takes no more input\(end)"
      case .lineTooLong: "the line is too long"
      case .other(let text): text
      }
    return "step \(number), \(step.option)\(wanted): \(reason)"
  }

  private var wanted: String {
    switch step {
    case .expect(let bytes): " \"\(escaped(bytes))\""
    case .expectRegex(let regex): " '\(regex)'"
    case .sendFile(let name), .sendEnvironment(let name): " \(name)"
    case .expectNoEcho, .line, .send, .end, .expectEnd: ""
    }
  }

  private var lateness: String {
    switch step {
    case .expect, .expectRegex: "it has not come"
    case .expectNoEcho: "the terminal shows what is typed"
    case .line: "no line has come"
    case .expectEnd: "the program has not ended"
    case .send, .sendFile, .sendEnvironment, .end: "the program has not taken it"
    }
  }

  private func tail(_ seen: [UInt8]) -> String { seen.isEmpty ? "; nothing came" : "; last came: \"\(escaped(seen))\"" }
}
