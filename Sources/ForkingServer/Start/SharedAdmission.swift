import Admission
import Settings
@_spi(Begat) import UnixCore

/// The memory of admissions and bans that a listener shares with begatd and with other listeners of its service, if it was
/// given any.
struct SharedAdmission: ~Copyable {
  private let book: Descriptor?
  private let bans: Descriptor?
  private let column: Int
  private let banNumber: UInt32

  /// Takes over the descriptors that the options name.
  init(_ options: ListenerOptions) throws(SystemCallError) {
    let book = try options.admissionBook.map(Descriptor.init(adopting:))
    let bans = try options.bans.map(Descriptor.init(adopting:))
    self.book = book
    self.bans = bans
    column = options.column
    banNumber = options.banNumber
  }

  /// Opens a part of the book.
  ///
  /// - Parameter room: how many bytes `Admission.room` has.
  func admission(
    _ limits: AdmissionLimits, of part: AdmissionBook.Part = .connections, room: Int = 0
  ) throws(SystemCallError) -> Admission {
    try Admission(limits, book: book, part: part, column: column, bans: try reader(), room: room)
  }

  private func reader() throws(SystemCallError) -> BanReader? {
    switch bans {
    case .some(let bans): try BanReader(bans, service: banNumber)
    case nil: nil
    }
  }
}
