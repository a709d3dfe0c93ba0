/// Tables of configurations, every port chosen by the kernel.
enum SampleConfiguration {
  /// A service on 127.0.0.1, with further lines of its table.
  static func service(_ name: String, _ lines: String..., serving builtIn: String? = nil) -> String {
    """
    [service.\(name)]
    serve = "\(builtIn ?? name)"
    listen-stream = ["127.0.0.1:0"]
    \(lines.joined(separator: "\n"))

    """
  }

  static func fortunes(of service: String, in directory: TemporaryDirectory) throws -> String {
    let database = try directory.write(Expected.fortune, to: "fortunes")
    return """
      [service.\(service).fortune]
      databases = ["\(database)"]

      """
  }

  /// Every built-in at every kind of address that it can have, for everybody on this machine: fortune, echo and chargen
  /// answer the datagrams of those only whom they allow.
  static func everything(in directory: TemporaryDirectory) throws -> String {
    let services = ["hello", "fortune", "daytime", "time", "echo", "discard", "chargen", "command"]
    let answering: Set = ["fortune", "daytime", "time", "echo", "discard", "chargen"]
    let telling = ["hello", "fortune", "command"]
    var text = ""
    for name in services {
      let streams = ["127.0.0.1:0", "[::1]:0", directory.path("\(name).sock"), "@\(directory.path)/\(name)"]
      text += "[service.\(name)]\nserve = \"\(name)\"\nlisten-stream = \(streams)\n"
      if answering.contains(name) { text += "listen-datagram = [\"127.0.0.1:0\", \"[::1]:0\"]\n" }
      text += "max-connections-per-source = 256\n"
      text += "allow = [\"127.0.0.0/8\", \"::1\", \"unix:*\"]\n"
    }
    return try telling.reduce(text) { try $0 + fortunes(of: $1, in: directory) }
  }
}
