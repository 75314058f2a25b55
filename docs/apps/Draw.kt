// Draws a seed's picture of saved_models/fashion_dcgan on Android, with
// com.microsoft.onnxruntime:onnxruntime-android, Latents.java beside this file and model.onnx among the assets.
import ai.onnxruntime.OnnxTensor
import ai.onnxruntime.OrtEnvironment
import android.content.Context
import android.graphics.Bitmap
import android.graphics.Color

fun draw(context: Context, seed: Long): Bitmap {
    val environment = OrtEnvironment.getEnvironment()
    val model = context.assets.open("model.onnx").use { it.readBytes() }
    val levels = ByteArray(28 * 28)
    environment.createSession(model).use { session ->
        OnnxTensor.createTensor(environment, arrayOf(Latents.normal(seed, 100))).use { latents ->
            OnnxTensor.createTensor(environment, longArrayOf(seed % 10)).use { labels ->
                session.run(mapOf("latents" to latents, "labels" to labels)).use { result ->
                    (result.get("images").get() as OnnxTensor).byteBuffer.get(levels)
                }
            }
        }
    }
    val colours = IntArray(levels.size) { place ->
        val level = levels[place].toInt() and 0xff
        Color.rgb(level, level, level)
    }
    return Bitmap.createBitmap(colours, 28, 28, Bitmap.Config.ARGB_8888)
}
