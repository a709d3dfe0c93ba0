import Foundation

/// A configuration with a service of each kind that a descriptor store has to do with.
enum StoredServices {
  /// Services that answer with what they are sent, and the form of their addresses.
  static let names = ["echo", "unix", "cat", "relayed"]

  static func configuration(_ directory: TemporaryDirectory, drainTimeout: String = "60s") -> String {
    """
    [daemon]
    drain-timeout = "\(drainTimeout)"
    [defaults]
    rate = "none"
    rate-per-source = "none"
    max-connections-per-source = 256
    [service.echo]
    serve = "echo"
    listen-stream = ["127.0.0.1:0"]
    listen-datagram = ["127.0.0.1:0"]
    allow = ["127.0.0.0/8"]
    [service.unix]
    serve = "echo"
    listen-stream = ["\(directory.path("unix"))"]
    [service.cat]
    exec = ["/bin/cat"]
    listen-stream = ["127.0.0.1:0"]
    [service.relayed]
    exec = ["/bin/cat"]
    relay = true
    listen-stream = ["127.0.0.1:0"]

    """
  }
}

extension StoredServices {
  /// The same without the service `cat`.
  static func withoutCat(_ directory: TemporaryDirectory) -> String {
    let text = configuration(directory)
    guard let cat = text.range(of: "[service.cat]"), let next = text.range(of: "[service.relayed]") else { return text }
    return String(text[..<cat.lowerBound] + text[next.lowerBound...])
  }
}

/// A client whose connection stays open and is asked something now and then.
final class IdleClient {
  let service: String
  let client: Client
  private var count = 0

  init(_ service: String, _ manager: StoringManager) throws {
    self.service = service
    client = try Client(manager.address(service))
    try ask()
  }

  /// Whether the connection lives.
  func ask() throws {
    count += 1
    let line = "\(service) \(count)\n"
    try client.send(line)
    let answer = try client.receive(until: "\n")
    guard answer == line else { throw HarnessFailure("\(service): “\(answer)” instead of “\(line)”") }
  }
}
