import Testing

@testable import NetworkServices

@Suite struct TelnetFilterTests {
  private typealias Output = TelnetFilter.Output

  private func outputs(_ bytes: [UInt8]) -> [Output] {
    var filter = TelnetFilter()
    return bytes.map { filter.take($0) }.filter { $0 != .nothing }
  }

  private func text(_ bytes: [UInt8]) -> [UInt8] {
    outputs(bytes).compactMap { if case .character(let byte) = $0 { byte } else { nil } }
  }

  private static let optionCommands: [UInt8] = [251, 252, 253, 254]

  @Test("passes every byte but 255, and CR as the end of a line", arguments: UInt8.min...254)
  func passesBytes(byte: UInt8) { #expect(outputs([byte]) == [.character(byte == 13 ? 10 : byte)]) }

  @Test("takes out each of the 256 commands", arguments: UInt8.min...UInt8.max)
  func takesOutCommands(command: UInt8) {
    let before = Array("ab".utf8)
    let after = Array("cd".utf8)
    let expected: [Output] =
      switch command {
      case 243, 244, 248: [.eraseLine]
      case 246: [.areYouThere]
      case 247: [.eraseCharacter]
      case 255: [.character(255)]
      default: []
      }
    let sequence: [UInt8] =
      switch command {
      case 250: [255, 250, 24, 1, 2, 255, 240]
      case 251...254: [255, command, 31]
      default: [255, command]
      }
    let characters = { (bytes: [UInt8]) in bytes.map { Output.character($0) } }
    #expect(outputs(before + sequence + after) == characters(before) + expected + characters(after))
  }

  @Test("takes out every option that may be negotiated, 255 and line ends among them")
  func takesOutOptions() {
    for command in Self.optionCommands {
      for option in UInt8.min...UInt8.max {
        #expect(text([255, command, option] + Array("x".utf8)) == Array("x".utf8))
      }
    }
  }

  @Test("takes out a subnegotiation of any bytes up to its end")
  func takesOutSubnegotiations() {
    let any = (UInt8.min...254).map { $0 } + [255, 255, 255, 241, 10, 13, 0]
    #expect(text([255, 250] + any + [255, 240] + Array("quit\n".utf8)) == Array("quit\n".utf8))
    // Without an end, all that follows belongs to it.
    #expect(text([255, 250] + [UInt8](repeating: 10, count: 1 << 20)) == [])
  }

  @Test(
    "ends a line once at each of its forms: LF, CR LF, CR NUL of a telnet client in character mode, a raw terminal's CR",
    arguments: [
      ([10], [10]), ([13, 10], [10]), ([13, 0], [10]), ([13], [10]), ([0], [0]), ([13, 0, 0], [10, 0]),
      ([13, 10, 10], [10, 10]), ([13, 13, 0], [10, 10]), ([10, 13], [10, 10]),
      ([65, 13, 66, 13, 10], [65, 10, 66, 10]),
      ([13, 255, 241, 65], [10, 65]),
    ] as [([UInt8], [UInt8])])
  func endsLines(input: [UInt8], output: [UInt8]) { #expect(text(input) == output) }

  @Test("gives the same line wherever its input is split, at every position of every sequence")
  func isTheSameWhereverSplit() throws {
    let sequences: [[UInt8]] = [
      [255, 253, 1], [255, 251, 31], [255, 250, 24, 0, 255, 255, 10, 255, 240], [255, 255], [255, 241], [13, 0],
    ]
    for sequence in sequences {
      let input = Array("da".utf8) + sequence + Array("te".utf8)
      let whole = outputs(input)
      for split in 0...input.count {
        var filter = TelnetFilter()
        let parts = [input[..<split], input[split...]]
        #expect(parts.flatMap { $0.map { filter.take($0) } }.filter { $0 != .nothing } == whole)
      }
    }
  }
}
