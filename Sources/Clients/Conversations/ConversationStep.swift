import Settings
@_spi(Begat) import UnixCore

/// One step of a conversation with a program, as it stands on a command line.
public enum ConversationStep: Hashable, Sendable {
  /// Waits until the program has written this.
  case expect([UInt8])
  case expectRegex(String)
  /// Waits until the program's terminal shows nothing of what is typed, as for a password.
  case expectNoEcho
  /// Waits for one line and shows it.
  case line
  case send([UInt8])
  /// Sends a file's contents.
  case sendFile(String)
  /// Sends the value of a variable of the environment.
  case sendEnvironment(String)
  /// Ends the program's input.
  case end
  /// Waits until the program has ended.
  case expectEnd

  public struct Problem: Error, CustomStringConvertible {
    public let description: String
  }

  /// As typed, without its value.
  public var option: String {
    switch self {
    case .expect: "--expect"
    case .expectRegex: "--expect-regex"
    case .expectNoEcho: "--expect-no-echo"
    case .line: "--line"
    case .send: "--send"
    case .sendFile: "--send-file"
    case .sendEnvironment: "--send-environment"
    case .end: "--end"
    case .expectEnd: "--expect-end"
    }
  }

  /// The steps in the order in which they were typed, where the parser of options has lost it.
  ///
  /// - Parameter words: the command line after the command's name, which the parser has found right.
  /// - Parameter optionsWithValue: all options that have one, steps among them.
  public static func inOrder(_ words: [String], optionsWithValue: [String]) throws(Problem) -> [ConversationStep] {
    var steps: [ConversationStep] = []
    var rest = words[...]
    while let word = rest.popFirst(), word != "--" {
      if let step = flag(word) {
        steps.append(step)
      } else if optionsWithValue.contains(word), !isStep(word) {
        rest = rest.dropFirst()
      } else {
        // --send=TEXT, or the text is the next word, whatever it looks like.
        let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard isStep(halves[0]), let value = halves.count == 2 ? halves[1] : rest.popFirst() else { continue }
        steps.append(try step(halves[0], value))
      }
    }
    if let end = steps.firstIndex(of: .expectEnd), end != steps.count - 1 {
      throw Problem(description: "nothing can follow --expect-end: the program has ended")
    }
    return steps
  }

  private static func flag(_ word: String) -> ConversationStep? {
    [.expectNoEcho, .line, .end, .expectEnd].first { $0.option == word }
  }

  private static func isStep(_ option: String) -> Bool {
    ["--expect", "--expect-regex", "--send", "--send-file", "--send-environment"].contains(option)
  }

  private static func step(_ option: String, _ value: String) throws(Problem) -> ConversationStep {
    switch option {
    case "--send-file": return .sendFile(value)
    case "--send-environment": return .sendEnvironment(value)
    case "--expect-regex":
      guard !value.isEmpty else { throw Problem(description: "--expect-regex: nothing to wait for") }
      do { _ = try Regex(value) } catch {
        throw Problem(description: "--expect-regex '\(printable(value))': \(printable("\(error)"))")
      }
      return .expectRegex(value)
    default:
      let bytes: [UInt8]
      do throws(ControlText.Problem) { bytes = try ControlText.parse(value) } catch {
        throw Problem(description: "\(option) '\(printable(value))': \(error)")
      }
      guard option == "--expect" else { return .send(bytes) }
      guard !bytes.isEmpty else { throw Problem(description: "--expect: nothing to wait for") }
      return .expect(bytes)
    }
  }

  private static func printable(_ text: String) -> String { escaped(text.utf8, doublingBackslashes: false) }
}
