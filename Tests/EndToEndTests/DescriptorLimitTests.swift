import Glibc
import Testing
@_spi(Begat) import UnixCore

/// begatd holds about three descriptors for each service.
@Suite(.timeLimit(.minutes(30)))
struct DescriptorLimitTests {
  private static func services(_ count: Int) -> String {
    (0..<count).map { SampleConfiguration.service("time\($0)", serving: "time") }.joined()
  }

  /// Programs that call select(2) cannot have descriptors from 1,024 on.
  @Test func begatdTakesAllThatItMayAndItsProgramsKeepWhatWas() throws {
    let configuration =
      Self.services(40) + SampleConfiguration.service("hello")
      + SampleConfiguration.script("program", "ulimit -Sn; ulimit -Hn")
    try withDaemon(configuration, wrapper: shell("ulimit -Sn 64 && exec \"$0\" \"$@\"")) { daemon in
      let hard = try RunningProgram.tool("sh", ["-c", "ulimit -Hn"]).output.text
      #expect(try softLimit("Max open files", of: daemon.process) == hard.dropLast())
      for process in ProcessFacts.children(of: daemon.process).map(\.process) {
        #expect(try softLimit("Max open files", of: process) == "64")
      }
      #expect(String(decoding: try ask(daemon.address("program")), as: UTF8.self) == "64\n" + hard)
      #expect(daemon.descriptorCount > 64)
      #expect(Expected.isTime(try ask(daemon.address("time39"))))
    }
  }

  @Test func aStartForWhichThereAreTooFewSaysWhatToDo() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(Self.services(40), to: "begatd.toml")
    let few = shell("ulimit -n 40 && exec \"$0\" \"$@\"")
    let advice = "raise LimitNOFILE= in its unit, or the hard limit of ulimit -n"
    let start = try RunningProgram.run(
      few[0], few.dropFirst() + [try Programs.begatd(), "--config", file],
      environment: ["RUNTIME_DIRECTORY=\(directory.path("run"))"])
    #expect(start.status == .exited(code: 1))
    let errors = start.errors.lines.filter { $0.contains("Too many open files") }
    #expect(errors.count == 1 && errors[0].contains(advice), "\(start.errors.text)")
    #expect(errors.first?.contains("all 40 descriptors") == true)
    let check = try RunningProgram.run(few[0], few.dropFirst() + [try Programs.begat(), "check", file])
    #expect(check.status == .exited(code: 0))
    #expect(
      check.errors.text.contains("descriptors, and begatd may have 40: \(advice)"), "\(check.errors.text)")
    #expect(try runBegat("check", file).errors.text == "")
  }

  /// The configuration before goes on.
  @Test func aReloadForWhichThereAreTooFewIsRefused() throws {
    try withDaemon(Self.services(2), wrapper: shell("ulimit -n 60 && exec \"$0\" \"$@\"")) { daemon in
      try daemon.rewrite(Self.services(60))
      let reload = try daemon.begat("reload")
      #expect(reload.status == .exited(code: 78))
      #expect(reload.errors.lines.filter { $0.contains("raise LimitNOFILE=") }.count == 1, "\(reload.errors.text)")
      #expect(Expected.isTime(try ask(daemon.address("time1"))))
      #expect(try daemon.reload(Self.services(3)).contains("reloaded in "))
    }
  }
}
