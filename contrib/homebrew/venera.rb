# SPDX-License-Identifier: MIT
#
# A formula for Homebrew, not in any tap yet, and not run by us: see docs/macos.md. In a clone of the
# repository: brew install --HEAD ./contrib/homebrew/venera.rb
class Venera < Formula
  desc "Vulkan for virtual machines through unmodified Mesa and QEMU"
  license "MIT"
  head "file://#{File.expand_path("../..", __dir__)}", using: :git, branch: "main"

  depends_on "glslang" => :build
  depends_on "meson" => :build
  depends_on "ninja" => :build
  depends_on "pkgconf" => :build
  depends_on "python@3.13" => :build
  depends_on "scdoc" => :build
  depends_on "vulkan-headers" => :build
  depends_on "glfw"
  depends_on "libpng"
  depends_on macos: :ventura
  depends_on "molten-vk"
  depends_on "qemu"
  depends_on "vulkan-loader"

  def install
    vk_xml = Formula["vulkan-headers"].opt_share/"vulkan/registry/vk.xml"
    system "meson", "setup", "build", "-Dvk_xml=#{vk_xml}", *std_meson_args
    system "meson", "compile", "-C", "build", "--verbose"
    system "meson", "install", "-C", "build"
  end

  test do
    # a runner without a GPU or HVF makes it fail, but it has to say something
    assert_match "pages of", shell_output("#{bin}/venera doctor", nil)
  end
end
