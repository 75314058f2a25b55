// Draws a seed's picture of saved_models/fashion_dcgan on iOS and macOS, with the Swift package
// onnxruntime-swift-package-manager; latents.h is named in the bridging header.
import CoreGraphics
import Foundation
import OnnxRuntimeBindings

func draw(model: String, seed: UInt64) throws -> CGImage? {
    var latent = [Float](repeating: 0, count: 100)
    kgan_normal(seed, &latent, 100)
    var label = Int64(seed % 10)
    let latents = try ORTValue(
        tensorData: NSMutableData(bytes: &latent, length: 100 * MemoryLayout<Float>.size),
        elementType: .float, shape: [1, 100])
    let labels = try ORTValue(
        tensorData: NSMutableData(bytes: &label, length: MemoryLayout<Int64>.size),
        elementType: .int64, shape: [1])

    let session = try ORTSession(
        env: ORTEnv(loggingLevel: .warning), modelPath: model, sessionOptions: nil)
    let outputs = try session.run(
        withInputs: ["latents": latents, "labels": labels], outputNames: ["images"], runOptions: nil)
    guard let levels = try outputs["images"]?.tensorData(),
        let provider = CGDataProvider(data: levels as CFData)
    else { return nil }
    return CGImage(
        width: 28, height: 28, bitsPerComponent: 8, bitsPerPixel: 8, bytesPerRow: 28,
        space: CGColorSpaceCreateDeviceGray(), bitmapInfo: CGBitmapInfo(rawValue: 0),
        provider: provider, decode: nil, shouldInterpolate: false, intent: .defaultIntent)
}
