import Glibc
import Settings
@_spi(Begat) import UnixCore

/// Finds services that claim the same address: a wildcard address conflicts with every address of its family and port.
struct AddressUse {
  /// An address with the kind of socket; a path is one file, whatever the kind.
  private struct Claim: Hashable {
    let address: ListenAddress
    let isStream: Bool
  }

  /// Sockets for different interfaces do not meet.
  private struct Holder {
    let address: ListenAddress
    let device: String?
    let place: Place

    func meets(_ other: String?) -> Bool { device == nil || other == nil || device == other }
  }

  private var holders: [Claim: [Holder]] = [:]
  /// All holders of a port, under the wildcard address of the family.
  private var ports: [Claim: [Holder]] = [:]

  /// Notes the addresses of an enabled service; each that is claimed already is a problem.
  mutating func claim(_ service: ResolvedService, problems: inout ProblemCollector) {
    guard service.configuration.settings.enabled else { return }
    let device = service.configuration.settings.bindToDevice
    for address in service.streams { claim(address, isStream: true, device, problems: &problems) }
    for address in service.datagrams { claim(address, isStream: false, device, problems: &problems) }
  }

  private mutating func claim(
    _ placed: PlacedAddress, isStream: Bool, _ device: String?, problems: inout ProblemCollector
  ) {
    let address = AddressUse.plain(placed.address)
    guard !AddressUse.isChosenByKernel(address) else { return }
    let claim = Claim(address: address, isStream: isStream || AddressUse.isPath(address))
    let everywhere = AddressUse.everywhere(address).map { Claim(address: $0, isStream: isStream) }
    let isMet: (Holder) -> Bool = { $0.meets(device) }

    if let holder = holders[claim]?.first(where: isMet) {
      problems.add(placed.problem("\(address) is also at \(holder.place)"))
    } else if let everywhere, everywhere != claim, let holder = holders[everywhere]?.first(where: isMet) {
      problems.add(placed.problem("\(address) is part of \(holder.address), which is at \(holder.place)"))
    } else if let everywhere, everywhere == claim, let holder = ports[everywhere]?.first(where: isMet) {
      problems.add(placed.problem("\(address) includes \(holder.address), which is at \(holder.place)"))
    } else {
      let holder = Holder(address: address, device: device, place: placed.origin.place)
      holders[claim, default: []].append(holder)
      if let everywhere { ports[everywhere, default: []].append(holder) }
    }
  }

  /// The address that stands for all of the family, with the same port.
  private static func everywhere(_ address: ListenAddress) -> ListenAddress? {
    switch address {
    case .address(.ipv4(_, let port), _): .address(.ipv4(.any, port: port), isOptional: false)
    case .address(.ipv6(_, let port, _), _): .address(.ipv6(.any, port: port), isOptional: false)
    case .address, .passed: nil
    }
  }

  private static func isChosenByKernel(_ address: ListenAddress) -> Bool {
    if case .address(let address, _) = address { address.port == 0 } else { false }
  }

  private static func isPath(_ address: ListenAddress) -> Bool {
    if case .address(.unixPath, _) = address { true } else { false }
  }

  /// The address without what does not matter to the kernel: the spelling of a path.
  private static func plain(_ address: ListenAddress) -> ListenAddress {
    switch address {
    case .address(.unixPath(let path), _): .address(.unixPath(resolved(path)), isOptional: false)
    case .address(let address, _): .address(address, isOptional: false)
    case .passed: address
    }
  }

  /// The path with the links of its directory followed; the path itself where the directory is missing.
  private static func resolved(_ path: UnixPath) -> UnixPath {
    guard let directory = path.parent.text, let real = FileSystem.realPath(directory) else { return path }
    return UnixPath(real).entry(path.lastName)
  }
}
