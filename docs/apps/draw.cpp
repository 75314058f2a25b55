// Draws a seed's picture of saved_models/fashion_dcgan, in C++17 with onnxruntime:
//
//     g++ -std=c++17 draw.cpp -I ort/include -L ort/lib -lonnxruntime -o draw
//     ./draw saved_models/fashion_dcgan/1/model.onnx 0 picture.pgm
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <onnxruntime_cxx_api.h>

#include "latents.h"

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: draw MODEL.onnx SEED OUT.pgm\n";
        return 2;
    }
    const std::filesystem::path model = argv[1];
    const std::uint64_t seed = std::stoull(argv[2]);

    std::array<float, 100> latents;
    kgan_normal(seed, latents.data(), latents.size());
    std::int64_t label = seed % 10;
    const std::array<std::int64_t, 2> shape{1, 100};
    const std::array<std::int64_t, 1> one{1};

    Ort::Env env;
    Ort::Session session(env, model.c_str(), Ort::SessionOptions{});
    auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::array<Ort::Value, 2> inputs{
        Ort::Value::CreateTensor<float>(
            memory, latents.data(), latents.size(), shape.data(), shape.size()),
        Ort::Value::CreateTensor<std::int64_t>(memory, &label, 1, one.data(), one.size()),
    };
    const std::array<const char*, 2> names{"latents", "labels"};
    const std::array<const char*, 1> wanted{"images"};
    auto images = session.Run(
        Ort::RunOptions{nullptr}, names.data(), inputs.data(), inputs.size(), wanted.data(), 1);

    std::ofstream file(argv[3], std::ios::binary);
    file << "P5\n28 28\n255\n";
    file.write(reinterpret_cast<const char*>(images[0].GetTensorData<std::uint8_t>()), 28 * 28);
    return file ? 0 : 1;
}
