/// The version of begatd, begat-listener and begat, which are released together.
public enum BegatVersion {
  public static let text = "0.1.0"
}
