// Draws a seed's picture of saved_models/fashion_dcgan, in Java 11 with com.microsoft.onnxruntime:onnxruntime.
//
//     javac -cp onnxruntime.jar Latents.java Draw.java
//     java -cp onnxruntime.jar:. Draw saved_models/fashion_dcgan/1/model.onnx 0 picture.png
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import java.awt.image.BufferedImage;
import java.io.File;
import java.util.Map;
import javax.imageio.ImageIO;

public final class Draw {
    public static void main(String[] arguments) throws Exception {
        long seed = Long.parseLong(arguments[1]);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        float[][] latents = {Latents.normal(seed, 100)};
        long[] labels = {seed % 10};
        byte[] pixels = new byte[28 * 28];
        try (var session = environment.createSession(arguments[0]);
                var first = OnnxTensor.createTensor(environment, latents);
                var second = OnnxTensor.createTensor(environment, labels);
                var result = session.run(Map.of("latents", first, "labels", second))) {
            ((OnnxTensor) result.get("images").orElseThrow()).getByteBuffer().get(pixels);
        }
        var picture = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
        picture.getRaster().setDataElements(0, 0, 28, 28, pixels);
        ImageIO.write(picture, "png", new File(arguments[2]));
    }
}
