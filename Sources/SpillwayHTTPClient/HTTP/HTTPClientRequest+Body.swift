#if HTTPClientSupport
internal import AsyncHTTPClient

extension HTTPClientRequest {
    /// Whether the body is in memory, so that it can be sent again.
    ///
    /// AsyncHTTPClient knows, but does not tell: this looks at the names inside its body type. When they change, every
    /// body counts as one that can be sent once.
    var canBeSentAgain: Bool {
        guard let body else { return true }
        let mirror = Mirror(reflecting: body)
        return mirror.descendant("mode", "byteBuffer") != nil
            || mirror.descendant("mode", "sequence", "canBeConsumedMultipleTimes") as? Bool == true
    }
}
#endif
