import Foundation
import Glibc
import Testing
import UnixIPC

/// Where `begat get --output` puts documents.
@Suite(.timeLimit(.minutes(10)))
struct GetFileTests {
  @Test func eachDocumentHasItsFile() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "b", mode: 0o640)
    let files = ["a", "b", "c"].flatMap { ["-o", directory.path($0)] }
    let got = try RunningProgram.run(
      try Programs.begat(), ["get", "--json"] + files + [server.place, "/a", "/missing", "/b"])
    #expect(got.status == .exited(code: 1))
    let report = try json(got, as: [String: Any].self)
    let documents = try #require(report["documents"] as? [[String: Any]])
    #expect(documents.map { $0["document"] as? String } == ["/a", "/missing", "/b"])
    #expect(documents.map { $0["status"] as? Int } == [200, 404, 200])
    #expect(documents.map { $0["bytes"] as? Int } == [10, 13, 10])
    #expect(documents.map { $0["reused_connection"] as? Bool } == [false, true, true])
    #expect(documents[1]["reason"] as? String == "Not Found" && documents[1]["error"] is NSNull)
    #expect(try directory.names() == ["a", "b", "c"])
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    #expect(try String(contentsOfFile: directory.path("c"), encoding: .utf8) == "this is b\n")
  }

  @Test func anOldFileKeepsItsPermissionsAndALinkStays() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "old", mode: 0o640)
    let link = directory.path("link")
    symlink("old", link)
    #expect(try runBegat("get", "-o", link, server.place, "/a").status == .exited(code: 0))
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "this is a\n")
    #expect(try FileKind(at: link) == .link)
    var facts = stat()
    #expect(stat(old, &facts) == 0 && facts.st_mode & 0o777 == 0o640)
    #expect(try directory.names() == ["link", "old"])
  }

  @Test(arguments: ["/truncated", "/chunk-missing", "/reset-later", "/endless", "/fail", "/moved", "/stops"])
  func whatDoesNotComeWholeLeavesTheOldFile(document: String) throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let old = try directory.write("old", to: "old")
    let got = try runBegat("get", "-o", old, "--max-size", "4M", "--timeout", "3s", server.place, document)
    #expect(got.status == .exited(code: 1), "\(got.errors.text)")
    #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
    #expect(try directory.names() == ["old"])
  }

  @Test func aKilledServerOrClientLeavesTheOldFile() throws {
    for killsServer in [true, false] {
      let (server, directory) = (try WebServer(), try TemporaryDirectory())
      let old = try directory.write("old", to: "old")
      let client = try startBegat("get", "-o", old, server.place, "/stops")
      // The new file is open: its beginning has come.
      #expect(
        eventually { ProcessFacts.descriptors(of: client.process).values.contains { $0.contains(directory.path) } })
      (killsServer ? server.program : client).kill()
      if killsServer { #expect(try client.awaitEnd() == .exited(code: 1)) }
      #expect(try String(contentsOfFile: old, encoding: .utf8) == "old")
      #expect(try directory.names() == ["old"])
    }
  }

  @Test func devicesAndPipesAreWrittenTo() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let got = try runBegat("get", "-o", "/dev/full", "-o", "/dev/null", "-o", "-", server.place, "/a", "/a", "/b")
    #expect(got.status == .exited(code: 1) && got.output.text == "this is b\n")
    #expect(got.errors.lines[0] == "begat get: /a: 200 OK, 10 bytes not kept, write /dev/full: No space left on device")
    #expect(try FileKind(at: "/dev/null") == .characterDevice)
    let pipe = directory.path("pipe")
    mkfifo(pipe, 0o600)
    let reader = try RunningProgram(try Programs.tool("cat"), [pipe])
    #expect(try runBegat("get", "-o", pipe, server.place, "/a").status == .exited(code: 0))
    #expect(try reader.awaitEnd() == .exited(code: 0))
    #expect(try reader.output.text == "this is a\n" && FileKind(at: pipe) == .fifo)
  }

  @Test func aFileThatCannotBeMadeIsAFailureOfItsDocument() throws {
    let (server, directory) = (try WebServer(), try TemporaryDirectory())
    let got = try runBegat(
      "get", "-o", "/nowhere/file", "-o", directory.path, "-o", directory.path("b"), server.place, "/a", "/a", "/b")
    #expect(got.status == .exited(code: 1))
    #expect(got.errors.lines[0].hasSuffix("open /nowhere: No such file or directory"))
    #expect(got.errors.lines[1].hasSuffix("open \(directory.path): Is a directory"), "\(got.errors.text)")
    #expect(try directory.names() == ["b"])
  }
}
