/// A datagram that is not from whom it says.
struct ForgedDatagram {
  /// IPv4 with a port.
  let source: String
  let target: String
  var text = "x"

  /// Sends it, by a raw socket as only root has one, where the caller is.
  func send() throws {
    let script = """
      import socket, struct, sys
      def parse(text):
          host, port = text.split(":")
          return socket.inet_aton(host), int(port)
      source, target, text = parse(sys.argv[1]), parse(sys.argv[2]), sys.argv[3].encode()
      # No checksum: IPv4 allows that, and the kernel fills in its own header's.
      datagram = struct.pack("!4H", source[1], target[1], 8 + len(text), 0) + text
      header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, source[0], target[0])
      raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
      raw.sendto(header + datagram, (socket.inet_ntoa(target[0]), 0))
      """
    _ = try RunningProgram.tool("python3", ["-c", script, source, target, text])
  }
}
