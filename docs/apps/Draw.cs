// Draws a seed's picture of saved_models/fashion_dcgan, in .NET with Microsoft.ML.OnnxRuntime; Latents.cs beside it.
//
//     dotnet new console --name draw && cd draw && rm Program.cs
//     dotnet add package Microsoft.ML.OnnxRuntime
//     dotnet run saved_models/fashion_dcgan/1/model.onnx 0 picture.pgm
using System.IO;
using System.Text;
using Microsoft.ML.OnnxRuntime;

public static class Draw
{
    public static void Main(string[] arguments)
    {
        ulong seed = ulong.Parse(arguments[1]);
        using var session = new InferenceSession(arguments[0]);
        using var latents = OrtValue.CreateTensorValueFromMemory(Latents.Normal(seed, 100), new long[] { 1, 100 });
        using var labels = OrtValue.CreateTensorValueFromMemory(new[] { (long)(seed % 10) }, new long[] { 1 });
        using var options = new RunOptions();
        using var images = session.Run(
            options, new[] { "latents", "labels" }, new[] { latents, labels }, new[] { "images" });
        using var file = File.Create(arguments[2]);
        file.Write(Encoding.ASCII.GetBytes("P5\n28 28\n255\n"));
        file.Write(images[0].GetTensorDataAsSpan<byte>());
    }
}
