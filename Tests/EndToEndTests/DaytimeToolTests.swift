import Foundation
import Testing
@_spi(Begat) import UnixCore

/// `begat daytime`.
@Suite(.timeLimit(.minutes(30)))
struct DaytimeToolTests {
  @Test func showsTheDaytimeOfBegatd() throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      for place in ["127.", "[", "/", "@"] {
        let daytime = try begat(["daytime", try daemon.address("daytime", place)])
        #expect(daytime.status == .exited(code: 0) && daytime.errors.text == "", "\(daytime.errors.text)")
        #expect(Expected.isNow(String(daytime.output.text.dropLast())), "\(daytime.output.text)")
      }
      let address = try daemon.address("daytime", "127.", datagram: true)
      let datagram = try begat(["daytime", "--udp", address, address])
      #expect(datagram.status == .exited(code: 0) && datagram.output.lines.count == 2)
      for line in datagram.output.lines {
        #expect(line.hasPrefix(address + ": ") && Expected.isNow(String(line.dropFirst(address.count + 2))))
      }
    }
  }

  @Test func goesOnWhereHostsFailAndShowsNoByteRaw() throws {
    let servers = try TimeServers(
      #"[b"\x1b]0;owned\x07\x9b2J\r\n", b"", None, b"two\nlines\n", b"z" * 100000]"#, network: "102.1")
    let hosts = (1...5).map { "127.102.1.\($0)" }
    let closed = try FreePorts.addresses(1)[0]
    let watch = Stopwatch()
    let daytime = try begat(["daytime", "--timeout", "1", "--port", servers.port] + hosts + [closed])
    #expect(watch.elapsed < .milliseconds(1500), "\(watch.elapsed)")
    #expect(daytime.status == .exited(code: 1))
    #expect(
      daytime.output.lines == [
        #"\#(hosts[0]): \x1b]0;owned\x07\x9b2J"#, "\(hosts[3]): two", "\(hosts[3]): lines",
        "\(hosts[4]): \(String(repeating: "z", count: 512))",
      ])
    #expect(
      daytime.errors.lines == [
        "begat daytime: \(hosts[1]): closed without an answer", "begat daytime: \(hosts[2]): no answer within 1 s",
        "begat daytime: \(hosts[4]): more than 512 bytes", "begat daytime: \(closed): refused",
      ])
  }

  @Test func showsWhatCameFromAPeerThatDoesNotEnd() throws {
    let servers = try TimeServers(#"[b"noon\r\n"]"#, network: "102.2", closing: false)
    let daytime = try begat(["daytime", "--timeout", "500ms", "127.102.2.1:\(servers.port)"])
    #expect(daytime.status == .exited(code: 1) && daytime.output.text == "noon\n")
    #expect(
      daytime.errors.text
        == "begat daytime: 127.102.2.1:\(servers.port): no end of its answer within 500 ms\n")
  }

  @Test func printsJSON() throws {
    let servers = try TimeServers(#"[b"noon\r\n", b"\x1b"]"#, network: "102.3")
    let daytime = try begat(["daytime", "--json", "--port", servers.port, "127.102.3.1", "127.102.3.2"])
    #expect(daytime.status == .exited(code: 0))
    let object = try JSONSerialization.jsonObject(with: Data(daytime.output.bytes)) as? [String: Any]
    let hosts = try #require(object?["hosts"] as? [[String: String]])
    #expect(
      hosts == [["host": "127.102.3.1", "daytime": "noon"], ["host": "127.102.3.2", "daytime": #"\x1b"#]])
  }

  private func begat(_ arguments: [String]) throws -> RunningProgram {
    try RunningProgram.run(try Programs.begat(), arguments)
  }
}
