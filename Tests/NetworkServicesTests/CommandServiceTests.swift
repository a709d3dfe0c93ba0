import TestSupport
import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

@Suite(.timeLimit(.minutes(30))) struct CommandServiceTests {
  private static let welcome = "Welcome to begat; type help for command list.\r\n"
  private static let prompt = "Command? "
  private static let help = "Commands: quit date who cookie motd\r\n"

  private func service(motd: String = "Be kind.\n") throws -> CommandService {
    let directory = try TemporaryDirectory()
    try directory.write("One\ncookie.\n".utf8, to: "f")
    return CommandService(
      fortunes: try LoadedFortunes(directory["f"]).collection, messageOfTheDay: Array(motd.utf8))
  }

  /// The whole session of a client that says all at once.
  private func session(_ input: [UInt8], motd: String = "Be kind.\n") throws -> String {
    let client = try ServedClient(service(motd: motd))
    try client.send(input)
    try client.endSending()
    let text = try client.receiveText()
    client.close()
    #expect(client.outcome().failure == nil)
    return text
  }

  /// What is said after the welcome and before the prompt that follows.
  private func reply(_ input: String, motd: String = "Be kind.\n") throws -> String {
    let text = try session(Array(input.utf8), motd: motd)
    try #require(text.hasPrefix(Self.welcome + Self.prompt) && text.hasSuffix(Self.prompt), "\(text)")
    return String(text.dropFirst((Self.welcome + Self.prompt).count).dropLast(Self.prompt.count))
  }

  @Test(
    "knows its words, whole and without regard to case",
    arguments: [
      ("quit", .quit), ("exit", .quit), ("QUIT", .quit), ("Exit", .quit), ("  quit  ", .quit), ("quit now", .quit),
      ("\tquit", .quit), ("date", .date), ("time", .date), ("Date", .date), ("who", .who), ("WHO", .who),
      ("who am i", .who), ("cookie", .cookie), ("motd", .motd), ("help", .help), ("?", .help),
      // perlipc's server took each of these for another command.
      ("update", .help), ("sometimes", .help), ("whole", .help), ("whoami", .help), ("I will not quit", .help),
      ("dates", .help), ("cookies", .help), ("quit\u{1}", .quit), ("quitx", .help), ("qu it", .help), ("-quit", .help),
      ("", nil), (" ", nil), ("\t \u{1}", nil), ("\r", nil),
    ] as [(String, Command?)])
  func knowsItsWords(line: String, command: Command?) { #expect(Self.command(Array(line.utf8)) == command) }

  private static func command(_ line: [UInt8]) -> Command? {
    UntrustedBytes(line).firstWord.map(Command.init(word:))
  }

  @Test("sends the answers to lines that came together in one piece, before it waits and before the end")
  func sendsAnswersTogether() throws {
    // Each piece that is sent arrives as one.
    let pair = try SocketPair(kind: .sequencedPacket)
    let client = pair.first
    for piece in ["motd\nhelp\nmo", "td\n", "?\nquit\nhelp\n"] { try client.sendAll(piece) }
    try client.shutDownSending()
    let side = ServiceSide()
    do {
      var connection = Connection(socket: pair.second, peer: Peer(address: nil), tally: side.tally)
      try service().serve(&connection)
    }
    var pieces: [String] = []
    while true {
      let piece = try client.receive(maxCount: 4096, until: Deadline(after: .seconds(20)))
      if piece.isEmpty { break }
      pieces.append(String(decoding: piece, as: UTF8.self))
    }
    let motd = "Be kind.\r\n" + Self.prompt
    let help = Self.help + Self.prompt
    #expect(pieces == [Self.welcome + Self.prompt, motd + help, motd, help])
  }

  @Test("takes bytes that are no text for an unknown word")
  func takesOtherBytes() {
    #expect(Self.command([255]) == .help && Self.command(Array("quit".utf8) + [0xff]) == .help)
    #expect(Self.command([0xc3, 0x28]) == .help)
    // A sign of Unicode whose lower case is a k.
    #expect(Self.command(Array("coo\u{212a}ie".utf8)) == .help)
  }

  @Test("welcomes, prompts, answers and ends with the client")
  func welcomes() throws {
    #expect(try session([]) == Self.welcome + Self.prompt)
    #expect(try session(Array("quit\r\ncookie\r\n".utf8)) == Self.welcome + Self.prompt)
    #expect(try session(Array("exit\n".utf8)) == Self.welcome + Self.prompt)
  }

  @Test("prompts before it is asked, without a newline")
  func promptsAtOnce() throws {
    let client = try ServedClient(service())
    let greeting = Self.welcome + Self.prompt
    #expect(try client.receive(greeting.utf8.count) == Array(greeting.utf8))
    try client.send("\r\n")
    #expect(try client.receive(Self.prompt.utf8.count) == Array(Self.prompt.utf8))
    try client.send("quit\r\n")
    #expect(try client.receiveAll() == [])
  }

  @Test("answers commands that came at once in their order")
  func answersInOrder() throws {
    let cookie = "One\r\ncookie.\r\n"
    let expected = [Self.help, cookie, "Be kind.\r\n", "", cookie].joined(separator: Self.prompt)
    #expect(try reply("help\r\ncookie\nmotd\r\n\r\nCOOKIE\r\n") == expected)
    let many = try session([UInt8](String(repeating: "help\r\n", count: 500).utf8))
    #expect(many == Self.welcome + String(repeating: Self.prompt + Self.help, count: 500) + Self.prompt)
  }

  @Test("tells the date")
  func tellsTheDate() throws {
    let text = try reply("date\n")
    #expect(text.utf8.count == 26 && text.hasSuffix("\r\n"))
    #expect(try reply("time\n").utf8.count == 26)
  }

  @Test("tells who is logged in, or that nobody is")
  func tellsWho() throws {
    let text = try reply("who\n")
    #expect(text == "Nobody is logged in.\r\n" || text.utf8.count >= 48)
    #expect(text.hasSuffix("\r\n"))
  }

  @Test(
    "tells the message of the day as lines of a network",
    arguments: [
      ("", "There is no message of the day.\r\n"), ("a", "a\r\n"), ("a\nb\n", "a\r\nb\r\n"), ("a\r\nb", "a\r\nb\r\n"),
      ("\n", "\r\n"),
    ])
  func tellsTheMessage(motd: String, expected: String) throws { #expect(try reply("motd\n", motd: motd) == expected) }

  @Test("answers AYT and takes no part of a line that is too long for a command")
  func answersOtherInput() throws {
    let text = try session([255, 246] + Array("\(String(repeating: "x", count: 600)) quit\nhelp\n".utf8))
    let tooLong = "Line too long: 512 bytes at most.\r\n"
    #expect(
      text == Self.welcome + ["", "\r\nYes, begat is here.\r\n", tooLong, Self.help].joined(separator: Self.prompt)
        + Self.prompt)
  }

  @Test("never sends a client's bytes back")
  func neverSendsBack() throws {
    var random = SeededRandom(state: 5)
    // Words of bytes that none of its texts has, so that each could only be the client's.
    let alien: [UInt8] = [UInt8](1...8) + [UInt8](14...31) + [UInt8](127...254)
    var lines: [UInt8] = []
    for _ in 0..<300 {
      for _ in 0..<Int.random(in: 1...60, using: &random) { lines.append(alien.randomElement(using: &random)!) }
      lines += [13, 10]
    }
    let text = try session(lines)
    #expect(text.utf8.allSatisfy { $0 == 13 || $0 == 10 || (0x20...0x7e).contains($0) })
    let words = try session(Array("zebra\r\nXYZZY!\r\n".utf8))
    #expect(!words.contains("zebra") && !words.lowercased().contains("xyzzy"))
  }

  @Test("survives 10,000 random lines")
  func survives() throws {
    var random = SeededRandom(state: 6)
    let words = ["quit", "exit", "date", "time", "who", "cookie", "motd", "help", " ", "\r", "\0"].map {
      Array($0.utf8)
    }
    var lines = 0
    while lines < 10_000 {
      var input: [UInt8] = []
      for _ in 0..<100 {
        for _ in 0..<Int.random(in: 0...6, using: &random) {
          input +=
            Bool.random(using: &random)
            ? words.randomElement(using: &random)!
            : (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        input.append(10)
      }
      let client = try ServedClient(service())
      // The service may have quit: then what is left is refused.
      try? client.send(input)
      try? client.endSending()
      let text = try client.receiveAll()
      #expect(text.starts(with: Array((Self.welcome + Self.prompt).utf8)))
      client.close()
      #expect(client.outcome().failure == nil)
      lines += 100
    }
  }

  @Test("ends quietly when the client goes away in the middle of a line")
  func endsQuietly() throws {
    let client = try ServedClient(service())
    _ = try client.receive(10)
    try client.send("hel")
    client.close()
    let failure = client.outcome().failure
    #expect(failure == nil || failure == .clientClosed)
  }
}
