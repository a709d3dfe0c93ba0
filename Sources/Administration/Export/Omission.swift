import Configuration

/// A service, or a part of it, that is not exported.
struct Omission: Error {
  let service: String
  /// The part that is left out; nil if it is the whole service.
  let part: String?
  let reason: String

  init(of service: ServiceConfiguration, part: String? = nil, _ reason: String) {
    self.service = service.name
    self.part = part
    self.reason = reason
  }
}
