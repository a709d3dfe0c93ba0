import Settings
import Testing
@_spi(Begat) import UnixCore

@testable import Configuration
@testable import ForkingServer
@testable import Supervision

/// One key in one circumstance, set to a value that is not its default.
struct KeyCheck {
  let key: Key<ServiceSettings>
  let expected: ExpectedEffect
  let circumstance: Circumstance
  /// The key that the readers are to blame; nil where the value is to be obeyed.
  let blamed: String?

  private var comment: Comment { "\(key.name) with \(circumstance.testDescription)" }
  private var settings: [(name: String, value: RawValue)] { circumstance.settings(with: key.name, expected.sample) }

  /// Reads the key in the service's own table.
  ///
  /// - Returns: the reason of a refusal.
  func checkFile() -> String? {
    switch (circumstance.readFile(settings), blamed) {
    case (.obeyed(let service), nil):
      checkObeyed(service)
      return nil
    case (.refused(let key, let reason), let blamed?):
      #expect(key == blamed, comment)
      return reason
    case (let reading, _):
      Issue.record(
        "\(comment): \(reading.verdict), expected \(blamed.map { "that \($0) is blamed" } ?? "it to be obeyed")")
      return nil
    }
  }

  /// Reads the key in `[defaults]`, where it is no fault if it does not fit.
  func checkDefaults() {
    // The circumstance itself may need the key.
    guard !circumstance.base.contains(where: { $0.name == key.name }) else { return }
    guard case .obeyed(let service) = circumstance.readFile(circumstance.base, defaults: [(key.name, expected.sample)])
    else {
      Issue.record("\(comment): refused in [defaults]")
      return
    }
    if blamed == nil {
      checkObeyed(service)
    } else {
      #expect(key.isDefault(in: service.settings), comment)
      checkRendering(of: service, value: nil)
    }
  }

  /// Reads the key as an option of begat-listener.
  func checkListener(reason: String?) {
    var settings = settings
    // A listener does not become another user by itself.
    if key.name == "group" { settings.append(("user", .string("nobody"))) }
    let reading = circumstance.readWords(circumstance.words(settings), passed: circumstance.passedKinds)
    if key.name == "resolve-names", blamed == nil {
      #expect(reading.verdict == "resolve-names: has no effect here: only begatd looks up names", comment)
      return
    }
    switch (reading, blamed) {
    case (.obeyed(let options), nil): #expect(key.value(in: options.service) == expected.sample, comment)
    case (.refused(let key, let text), let blamed?):
      #expect(key == blamed, comment)
      #expect(reason == nil || text == reason, comment)
    default:
      Issue.record(
        "\(comment): \(reading.verdict), expected \(blamed.map { "that \($0) is blamed" } ?? "it to be obeyed")")
    }
  }

  private func checkObeyed(_ service: ServiceConfiguration) {
    #expect(key.value(in: service.settings) == expected.sample, comment)
    checkRendering(of: service, value: expected.isOfDaemon ? nil : passedOn(service))
    if expected.isOfDaemon { checkDaemon(service) }
  }

  /// The value that a listener is given: of users and groups the number.
  private func passedOn(_ service: ServiceConfiguration) -> RawValue? {
    switch key.name {
    case "user": service.identity.map { .string("\($0.user)") }
    case "group": service.identity.map { .string("\($0.group)") }
    default: expected.sample
    }
  }

  /// What begatd renders for its listener, and what that reads.
  ///
  /// - Parameter value: nil for the default.
  private func checkRendering(of service: ServiceConfiguration, value: RawValue?) {
    var options = ListenerOptions(service, hasResolver: true)
    options.names = 3
    options.nameRequests = 4
    options.channel = 9
    let isAsExpected: (ListenerOptions) -> Bool = { options in
      value == nil ? key.isDefault(in: options.service) : key.value(in: options.service) == value
    }
    #expect(isAsExpected(options), comment)
    let reading = circumstance.readWords(options.arguments, passed: circumstance.kinds)
    guard case .obeyed(let read) = reading else {
      Issue.record("\(comment): the listener refuses what begatd renders: \(reading.verdict)")
      return
    }
    #expect(isAsExpected(read), comment)
    options = ListenerOptions(service, hasResolver: false)
    options.channel = 9
    guard case .obeyed = circumstance.readWords(options.arguments, passed: circumstance.kinds) else {
      Issue.record("\(comment): without names the listener refuses what begatd renders")
      return
    }
    // A socket that a service manager passes turns out to be of one kind only.
    guard circumstance.sockets == .passed else { return }
    for kind in circumstance.kinds {
      options = ListenerOptions(service, sockets: [kind], hasResolver: false)
      options.channel = 9
      if case .refused(let key, let text) = circumstance.readWords(options.arguments, passed: [kind]) {
        Issue.record("\(comment): with a socket of \(kind) the listener refuses what begatd renders: \(key): \(text)")
      }
    }
  }

  /// What begatd itself makes of a key.
  private func checkDaemon(_ service: ServiceConfiguration) {
    let daemon = FileLookups().user("daemon")
    let isSeen: Bool =
      switch key.name {
      case "enabled": !service.settings.enabled
      case "socket-mode": service.socketAccess.mode == 0o600
      case "socket-user": service.socketAccess.user == daemon?.user && daemon != nil
      case "socket-group": service.socketAccess.group == FileLookups().groupNumber("daemon")
      case "backlog": service.settings.backlog == 7
      case "free-bind": service.settings.bindOptions.allowsNonlocalAddress
      case "bind-to-device": service.settings.bindOptions.device == "lo"
      default: false
      }
    #expect(isSeen, comment)
  }
}

extension Reading {
  /// `obeyed`, or the key to blame with the reason.
  var verdict: String {
    switch self {
    case .obeyed: "obeyed"
    case .refused(let key, let reason): "\(key): \(reason)"
    }
  }
}
