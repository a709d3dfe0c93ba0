import Testing
@_spi(Begat) import UnixCore

@testable import Clients

@Suite struct SignalsClientTests {
  @Test("shows what was named, in that order, and tells what has no signal")
  func selects() {
    let selection = SignalsClient(names: ["SIGTERM", "nosuch", "1", "rtmin+3", "0", "65"]).selection
    #expect(selection.signals == [.terminate, .hangUp, .realTime(3)!])
    #expect(selection.unknown == ["nosuch", "0", "65"])
    #expect(SignalsClient(names: []).selection.signals == Signal.all)
  }

  @Test("shows people columns")
  func showsATable() {
    let lines = SignalsClient(names: []).table([.hangUp, .child, .segmentationFault]).split(separator: "\n")
    #expect(
      lines == [
        "NUMBER  NAME  ALIASES  DEFAULT    TEXT", "     1  HUP            terminate  Hangup",
        "    17  CHLD  CLD      ignore     Child exited", "    11  SEGV           core       Segmentation fault",
      ])
  }

  @Test("shows programs JSON")
  func showsJSON() {
    let client = SignalsClient(names: [])
    #expect(client.json([]) == "[]\n")
    #expect(
      client.json([.child])
        == "[{\"number\":17,\"name\":\"CHLD\",\"aliases\":[\"CLD\"],\"default\":\"ignore\","
        + "\"text\":\"Child exited\"}]\n")
  }
}

@Suite struct ProcessNumberTests {
  @Test("reads numbers from 1 on", arguments: [("1", 1), ("4194304", 4_194_304), ("2147483647", Int32.max)])
  func reads(text: String, number: Int32) { #expect(ProcessNumber.parse(text) == number) }

  @Test(
    "refuses what kill(2) takes for groups, and garbage",
    arguments: ["", "0", "00", "-1", "+1", " 1", "1 ", "2147483648", "0x10", "1.0", "self", "１"])
  func refuses(text: String) { #expect(ProcessNumber.parse(text) == nil) }
}

@Suite struct AliveClientTests {
  private let client = AliveClient([1, 22, 333])

  @Test("shows one line for each process")
  func showsATable() { #expect(client.table([.notOurs, .gone, .alive]) == "  1  not ours\n 22  gone\n333  alive\n") }

  @Test("shows programs JSON")
  func showsJSON() {
    #expect(
      client.json([.alive, .gone, .notOurs])
        == "[{\"pid\":1,\"state\":\"alive\"},{\"pid\":22,\"state\":\"gone\"},"
        + "{\"pid\":333,\"state\":\"not ours\"}]\n")
  }
}

@Suite struct TextTableTests {
  @Test("columns stand below each other, and no line ends with a blank")
  func aligns() {
    var table = TextTable(.right, .left)
    table.add("1", "long word")
    table.add("100", "x")
    table.add("10", "")
    #expect(table.text == "  1  long word\n100  x\n 10\n")
  }
}
