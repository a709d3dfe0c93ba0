import UnixIPC

/// Who has which address: a kernel gives it to one socket only.
struct AddressUse {
  /// An address with the kind of socket; a path is one file, whatever the kind.
  private struct Claim: Hashable {
    let address: ListenAddress
    let isStream: Bool
  }

  private var places: [Claim: Place] = [:]

  /// Notes the addresses of an enabled service; each that somebody has already is a problem.
  mutating func claim(_ service: ResolvedService, problems: inout ProblemCollector) {
    guard service.configuration.isEnabled else { return }
    claim(service.streams, isStream: true, problems: &problems)
    claim(service.datagrams, isStream: false, problems: &problems)
  }

  private mutating func claim(
    _ addresses: ServiceSettings.Placed<[ListenAddress]>?, isStream: Bool, problems: inout ProblemCollector
  ) {
    guard let addresses else { return }
    let place = addresses.setting.place
    for address in addresses.value where !AddressUse.isChosenByKernel(address) {
      let claim = Claim(address: AddressUse.plain(address), isStream: isStream || AddressUse.isPath(address))
      if let first = places[claim] {
        problems.add(addresses.setting.problem("\(address) is also at \(first)"))
      } else {
        places[claim] = place
      }
    }
  }

  private static func isChosenByKernel(_ address: ListenAddress) -> Bool {
    if case .address(let address, _) = address { address.port == 0 } else { false }
  }

  private static func isPath(_ address: ListenAddress) -> Bool {
    if case .address(.unixPath, _) = address { true } else { false }
  }

  private static func plain(_ address: ListenAddress) -> ListenAddress {
    if case .address(let address, _) = address { .address(address, isOptional: false) } else { address }
  }
}
