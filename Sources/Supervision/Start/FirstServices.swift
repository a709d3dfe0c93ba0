import Configuration
import Logging
import Settings
@_spi(Begat) import UnixCore

/// Why nothing can be served; one line each.
struct StartProblems: Error {
  var lines: [String]
}

/// Opens the sockets of all services when begatd starts: those that were passed, and the rest by binding.
enum FirstServices {
  /// How long listeners of a begatd that was killed may take to let go of addresses.
  private static let patience = Duration.seconds(2)

  /// - Throws: all that cannot be had; then no socket is left open.
  static func open(_ loaded: [LoadedService], _ logger: Logger) throws(StartProblems) -> [ManagedService] {
    let passed: PassedSockets
    do throws(SocketActivation.ActivationError) { passed = try PassedSockets() } catch {
      throw StartProblems(lines: ["\(error)"])
    }
    let wanted = loaded.map(\.configuration)
    try prepareRuntimeDirectory(for: wanted)
    let assignment = SocketAssignment(wanted, open: passed.sockets.map { $0.open(of: nil) })
    let opening = SocketOpening(
      wanted, assignment, open: passed.sockets, binder: SocketBinder(deadline: Deadline(after: patience)))
    for warning in opening.warnings {
      logger.warning("\(warning.text)", metadata: [LogKey.service: "\(warning.service)"])
    }
    var problems = opening.problems
    var services: [ManagedService] = []
    for (index, service) in loaded.enumerated() {
      let sockets = opening.sockets[index]
      if sockets.isEmpty || assignment.isInactive(index) {
        sockets.removeFiles()
        guard opening.problems.isEmpty else { continue }
        let reason =
          assignment.isInactive(index) ? "its socket was not passed" : "this machine has none of its addresses"
        logger.warning("inactive: \(reason)", metadata: [LogKey.service: "\(service.configuration.name)"])
        continue
      }
      guard problems.isEmpty else { continue }
      do throws(SystemCallError) {
        services.append(try ManagedService(service, number: UInt32(services.count + 1), sockets: sockets))
      } catch { problems.append("service.\(service.configuration.name): \(error.withAdvice)") }
    }
    for warning in passed.warnings + passed.closing(assignment.rest) { logger.warning("\(warning)") }
    if problems.isEmpty, services.isEmpty {
      let arePassed = loaded.indices.contains(where: assignment.isInactive)
      problems = [
        "no service to offer: \(arePassed ? "the sockets of none were passed" : "this machine has none of their addresses")"
      ]
    }
    guard problems.isEmpty else {
      opening.undo()
      throw StartProblems(lines: problems)
    }
    return services
  }

  private static func prepareRuntimeDirectory(for services: [ServiceConfiguration]) throws(StartProblems) {
    guard services.contains(where: \.usesRuntimeDirectory) else { return }
    do throws(RuntimeDirectory.Refusal) { try RuntimeDirectory.prepare() } catch {
      throw StartProblems(lines: ["\(error)"])
    }
  }
}

extension SocketAssignment {
  /// Whether a socket that the manager should have passed for a service is missing.
  func isInactive(_ service: Int) -> Bool {
    sources[service].contains { if case .missing = $0 { true } else { false } }
  }
}

extension ServiceConfiguration {
  /// Whether a socket of it is to be in the directory of begatd's own sockets.
  var usesRuntimeDirectory: Bool {
    (streams + datagrams).contains { address in
      if case .address(.unixPath(let path), _) = address {
        path.bytes.starts(with: (RuntimeDirectory.path + "/").utf8)
      } else {
        false
      }
    }
  }
}

extension [HeldSocket] {
  /// Removes the files of Unix sockets that begatd made.
  func removeFiles() { for socket in self { socket.file?.removeIfOurs() } }
}

extension [ManagedService] {
  /// The ports at which they answer datagrams.  Passed sockets count too: what matters is who answers.
  var datagramPorts: [UInt16] {
    let ports = flatMap(\.sockets).filter(\.isDatagram).compactMap(\.address.port)
    // A drained service answers at the same ones when it serves again.
    return Set(ports + flatMap(\.former).filter(\.isDatagram).compactMap(\.address.port)).sorted()
  }
}
