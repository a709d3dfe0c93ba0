import Settings
@_spi(Begat) import UnixCore

/// Finds Unix sockets of services whose directories are missing or can be changed by other users: binding would fail.
struct SocketDirectoryCheck {
  /// begatd makes it if it is missing.
  let runtimeDirectory: String

  /// One problem for each directory of a service.
  func problems(of services: [ServiceConfiguration]) -> [ConfigurationProblem] {
    services.filter(\.settings.enabled).flatMap { service in
      problems("listen-stream", service.streams, service) + problems("listen-datagram", service.datagrams, service)
    }
  }

  private func problems(
    _ key: String, _ addresses: [ListenAddress], _ service: ServiceConfiguration
  ) -> [ConfigurationProblem] {
    guard let origin = service.origins[key] else { return [] }
    var seen: Set<String> = []
    return addresses.compactMap { address in
      guard let directory = address.directory, directory != runtimeDirectory, seen.insert(directory).inserted,
        let fault = fault(of: directory)
      else { return nil }
      return ConfigurationProblem(at: origin.place, key: origin.key, message: fault)
    }
  }

  private func fault(of directory: String) -> String? {
    do throws(SystemCallError) {
      return try UnsafeDirectory.find(on: directory).map { "\($0)" }
    } catch {
      return error.code == .noSuchFileOrDirectory
        ? "\(printable(directory)): no such directory; make it first" : "\(printable(directory)): \(error.code)"
    }
  }
}

extension ListenAddress {
  /// The directory of a Unix socket's path; nil for other addresses.
  fileprivate var directory: String? {
    guard case .address(.unixPath(let path), _) = self else { return nil }
    return path.parent.text
  }
}
