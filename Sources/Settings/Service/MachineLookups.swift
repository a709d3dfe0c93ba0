/// Lookups on the machine that reads settings: begatd asks the name service, a static program reads files.
public protocol MachineLookups {
  /// The number of the user of this name; the number itself where the text is one.  Nil if there is none.
  func userNumber(_ text: String) -> UInt32?
  /// The port that the text stands for: a number, or a name of services(5).  Nil if there is none.
  func port(_ text: String, isDatagram: Bool) -> UInt16?
  /// What `%t` stands for.
  var runtimeDirectory: String { get }
}
