import Settings
@_spi(Begat) import UnixCore

/// Finds services whose settings do not fit on their listener's command line: the kernel would start no listener.
///
/// Source: "Limits on size of arguments and environment" in execve(2).
struct CommandLineCheck {
  /// Bytes that the words of a command line may have, with their zero bytes and pointers.
  let room: Int

  /// For the environment and what else begatd tells a listener.
  private static let reserve = 16 << 10
  /// Up to here nothing needs to be rendered to know that it fits.
  private static let small = 16 << 10
  private static let pointer = 8

  func problems(of services: [ServiceConfiguration]) -> [ConfigurationProblem] {
    let enabled = services.filter(\.settings.enabled)
    // A listener is told the ports of all datagram services.
    let ports = min(enabled.reduce(0) { $0 + $1.datagrams.count }, Int(UInt16.max))
    let portsSize = ports * Self.size(["--datagram-port", String(UInt16.max)])
    return enabled.compactMap { problem($0, portsSize: portsSize) }
  }

  private func problem(_ service: ServiceConfiguration, portsSize: Int) -> ConfigurationProblem? {
    let sockets = service.streams.count + service.datagrams.count
    let around = Self.reserve + portsSize + sockets * Self.size(["--socket", String(CInt.max)])
    if Self.roughSize(service) <= Self.small, Self.small + around <= room { return nil }
    var sizes: [String: Int] = [:]
    var name = ""
    for word in ListenerOptions(service, hasResolver: true).arguments {
      if name != "exec", word.hasPrefix("--") { name = Self.keyName(word) }
      sizes[name, default: 0] += Self.size([word])
      if word.utf8.count > EnvironmentVariable.maxEntryLength { return wordProblem(service, name, word) }
    }
    let size = around + sizes.values.reduce(0, +)
    guard size > room else { return nil }
    let largest = sizes.max { ($0.value, $1.key) < ($1.value, $0.key) }
    let (key, most) = largest.map { ($0.key, $0.value) } ?? ("", 0)
    let isOfOthers = portsSize > most
    let cause =
      isOfOthers ? "\(portsSize) of them the ports of datagram services" : "\(most) of them for \(key)"
    let advice = isOfOthers ? "use fewer listen-datagram addresses" : "shorten \(key) or share it out among services"
    return ConfigurationProblem(
      at: service.place, key: keyText(["service", service.name]),
      message: "the command line of its listener would take \(size) bytes, \(cause), and Linux takes at most \(room); "
        + advice)
  }

  private func wordProblem(_ service: ServiceConfiguration, _ key: String, _ word: String) -> ConfigurationProblem {
    let message =
      "expected at most \(EnvironmentVariable.maxEntryLength) bytes in one text, found \(word.utf8.count): no program "
      + "can be given it"
    guard let origin = service.origins[key] else {
      return ConfigurationProblem(
        at: service.place, key: keyText(["service", service.name]), message: "\(key): \(message)")
    }
    return ConfigurationProblem(at: origin.place, key: origin.key, message: message)
  }

  /// The key of an option; the words behind two hyphens alone are those of `exec`.
  private static func keyName(_ option: String) -> String {
    let name = String(option.dropFirst(2))
    if name.isEmpty { return "exec" }
    if ServiceSettings.key(named: name) != nil { return name }
    return name.firstIndex(of: ".").map { String(name[..<$0]) } ?? name
  }

  private static func size(_ words: [String]) -> Int { words.reduce(0) { $0 + $1.utf8.count + 1 + pointer } }

  /// At least half of what the texts and lists of a service take; what else it has is short.
  private static func roughSize(_ service: ServiceConfiguration) -> Int {
    let settings = service.settings
    var size = settings.program.workingDirectory.utf8.count
    for word in settings.exec { size += word.utf8.count + 16 }
    for variable in settings.program.environment { size += variable.entry.utf8.count + 32 }
    for command in settings.commands { for word in command.words { size += word.utf8.count + 64 } }
    for path in settings.fortune.databases { size += path.utf8.count + 32 }
    let peers =
      (service.allow?.count ?? 0) + service.deny.count + service.settings.denyExempt.count + service.proxies.count
    return size + 64 * peers + 32 * (service.identity?.groups.count ?? 0)
  }
}
