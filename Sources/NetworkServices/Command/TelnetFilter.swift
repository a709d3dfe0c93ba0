/// Takes telnet's own bytes out of a stream of characters; negotiates nothing and answers nothing.
///
/// A byte at a time, so that a sequence may be split anywhere.  CR LF, CR NUL, which a telnet client in character mode
/// sends for the Enter key, a bare CR, as a raw terminal has it, and a bare LF each end a line: they come out as LF.
///
/// Source: RFC 854.
struct TelnetFilter: Sendable {
  /// What a byte turned out to be.
  enum Output: Hashable {
    case character(UInt8)
    case eraseCharacter
    case eraseLine
    case areYouThere
    /// Part of a sequence, or one that means nothing here.
    case nothing
  }

  private enum State {
    case text
    case carriageReturn
    case command
    /// Of WILL, WONT, DO and DONT.
    case option
    case subnegotiation
    case subnegotiationCommand
  }

  private static let interpretAsCommand: UInt8 = 255
  private var state = State.text

  mutating func take(_ byte: UInt8) -> Output {
    switch state {
    case .text, .carriageReturn:
      let follows = state == .carriageReturn
      state = .text
      switch byte {
      case TelnetFilter.interpretAsCommand:
        state = .command
        return .nothing
      case UInt8(ascii: "\r"):
        // The line ends with it: a client that sends nothing after it is not kept waiting.
        state = .carriageReturn
        return .character(UInt8(ascii: "\n"))
      case UInt8(ascii: "\n") where follows, 0 where follows: return .nothing
      default: return .character(byte)
      }
    case .command:
      return command(byte)
    case .option:
      state = .text
      return .nothing
    case .subnegotiation:
      if byte == TelnetFilter.interpretAsCommand { state = .subnegotiationCommand }
      return .nothing
    case .subnegotiationCommand:
      // SE ends it; a doubled 255 is a byte of it.
      state = byte == 240 ? .text : .subnegotiation
      return .nothing
    }
  }

  private mutating func command(_ byte: UInt8) -> Output {
    state = .text
    switch byte {
    case 243, 244: return .eraseLine  // break, interrupt process: forget what was typed
    case 246: return .areYouThere
    case 247: return .eraseCharacter
    case 248: return .eraseLine
    case 250:
      state = .subnegotiation
      return .nothing
    case 251...254:
      state = .option
      return .nothing
    case 255: return .character(255)
    default: return .nothing
    }
  }
}
