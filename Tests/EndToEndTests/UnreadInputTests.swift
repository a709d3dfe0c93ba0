import Testing

/// Bytes that nobody asked for must not destroy the reply.
@Suite(.timeLimit(.minutes(30)))
struct UnreadInputTests {
  @Test(arguments: ["hello", "fortune", "daytime", "time", "command"], ["127.0.0.1:", "/"])
  func theReplyIsWhole(of service: String, at place: String) throws {
    try withDaemon(SampleConfiguration.everything) { daemon in
      let address = try daemon.address(service, place)
      let unasked = (service == "command" ? "quit\n" : "") + String(repeating: "unasked\n", count: 12_500)
      for _ in 0..<50 {
        let client = try Client(address)
        try client.send(unasked)
        let reply = try client.receiveAll()
        #expect(isWhole(reply, of: service), "\(String(decoding: reply, as: UTF8.self))")
      }
    }
  }

  /// The time in which a reply is waited for to arrive is bounded, and so are the bytes that are read meanwhile.
  @Test(arguments: ["daytime", "hello"])
  func aClientThatSendsWithoutEndIsNotServedWithoutEnd(by service: String) throws {
    let script = """
      import socket, sys, threading, time
      begun = time.monotonic()
      def flood():
          client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
          client.settimeout(20)
          sent = 0
          try:
              while time.monotonic() - begun < 20: sent += client.send(b"x" * 65536)
          except OSError: pass
          print("sent", sent, "in", time.monotonic() - begun)
      threads = [threading.Thread(target=flood) for _ in range(4)]
      for thread in threads: thread.start()
      for thread in threads: thread.join()
      """
    try withDaemon(SampleConfiguration.service(service)) { daemon in
      let lines = try python(script, [try daemon.port(service)]).output.lines
      #expect(lines.count == 4)
      for line in lines {
        let words = line.split(separator: " ")
        #expect(Double(words[3]).map { $0 < 7 } == true, "\(line)")
      }
      let records = try daemon.log.awaitLines(4, containing: "\(service): pid ")
      for record in records {
        // 64 KiB more than 4 MiB at most.
        let received = record.firstMatch(of: /received (\d+),/).flatMap { Int($0.1) }
        #expect(received.map { $0 <= 4_259_840 } == true, "\(record)")
      }
    }
  }

  private func isWhole(_ reply: [UInt8], of service: String) -> Bool {
    let text = String(decoding: reply, as: UTF8.self)
    return switch service {
    case "hello": text.hasPrefix("Hello there, ") && text.hasSuffix("\r\n" + Expected.networkFortune)
    case "fortune": text == Expected.networkFortune
    case "daytime": Expected.isDaytime(reply)
    case "time": Expected.isTime(reply)
    default: text == Expected.banner + Expected.prompt
    }
  }
}
