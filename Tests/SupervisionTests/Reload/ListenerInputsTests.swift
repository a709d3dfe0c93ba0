import Glibc
import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Supervision

/// The files beside the configuration that listeners read.
@Suite(.timeLimit(.minutes(30))) struct ListenerInputsTests {
  @Test(
    "finds the file of a time zone",
    arguments: [
      (nil, nil, "/etc/localtime"), ("Europe/Paris", nil, "/usr/share/zoneinfo/Europe/Paris"),
      (":Europe/Paris", "/zones", "/zones/Europe/Paris"), (":/etc/mine", nil, "/etc/mine"),
    ] as [(String?, String?, String)])
  func findsTimeZone(variable: String?, directory: String?, path: String) {
    #expect(ListenerInputReader.timeZonePath(variable: variable, directory: directory) == path)
  }

  @Test(
    "asks for what the service reads",
    arguments: [
      (BuiltIn.time, [] as [String]), (.echo, []), (.daytime, ["time zone"]), (.fortune, ["fortunes"]),
      (.hello, ["time zone", "fortunes"]), (.command, ["time zone", "fortunes", "message of the day"]),
    ])
  func asksForWhatIsRead(builtIn: BuiltIn, kinds: [String]) {
    var settings = ServiceSettings()
    settings.serve = builtIn
    var reader = ListenerInputReader()
    let inputs = reader.inputs(of: settings)
    let found = [
      inputs.timeZone.isEmpty ? nil : "time zone", inputs.fortunes.isEmpty ? nil : "fortunes",
      inputs.messageOfTheDay.isEmpty ? nil : "message of the day",
    ]
    #expect(found.compactMap { $0 } == kinds)
  }

  @Test func aFileInADirectoryOfFortunesCounts() throws {
    var name = Array("/tmp/begat-inputs-XXXXXX".utf8CString)
    let directory = String(cString: try #require(mkdtemp(&name)))
    defer { rmdir(directory) }
    var settings = ServiceSettings()
    settings.serve = .fortune
    settings.fortune.databases = [directory]
    func inputs() -> ListenerInputs {
      var reader = ListenerInputReader()
      return reader.inputs(of: settings)
    }
    let before = inputs()
    #expect(inputs() == before)
    let file = "\(directory)/fortunes"
    defer { unlink(file) }
    try Descriptor.open(file, [.writeOnly, .create]).writeAll("one\n")
    let between = inputs()
    #expect(between.differences(from: before) == ["fortunes"])
    try Descriptor.open(file, [.writeOnly, .append]).writeAll("%\ntwo\n")
    #expect(inputs().differences(from: between) == ["fortunes"])
  }
}
