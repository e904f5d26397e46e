#!/usr/bin/env bash
# The launcher finds or installs what is missing: system packages by apt, LibTorch by pip. Both are faked here.
# shellcheck source=tests/launcher/sandbox.sh
source "$(dirname "$0")/sandbox.sh"
make_project
make_torch "$sandbox/torch"
python=$(command -v python3)

# --- system packages: $sandbox/installed and $sandbox/known list them, $sandbox/calls what was asked of apt ---
fake dpkg-query <<END
grep -qxF "\${@: -1}" "$sandbox/installed" && echo installed
END
fake apt-cache <<END
grep -xF "\${@: -1}" "$sandbox/known"
END
fake apt-get <<END
echo "\$*" >>"$sandbox/calls"
case \$1 in
  update) printf '%s\n' libpng-dev libturbojpeg-dev libarchive-dev >"$sandbox/known" ;;
  install) shift 3; for name; do grep -qxF "\$name" "$sandbox/known" || exit 100; done
    printf '%s\n' "\$@" >>"$sandbox/installed" ;;
esac
END
fake sudo <<<'exit 1'
printf '%s\n' libwebp-dev libgif-dev libicu-dev libcli11-dev nlohmann-json3-dev libgtest-dev >"$sandbox/installed"
printf '%s\n' libpng-dev libturbojpeg-dev libarchive-dev >"$sandbox/known"
export Torch_DIR=$sandbox/torch

fake id <<<'echo 1000'
launch
expect 'without rights it says what to type' contains "$err" \
  'sudo apt-get update && sudo apt-get install -y libpng-dev libturbojpeg-dev libarchive-dev'
expect 'and stops' equals "$out$code" 1
expect 'having changed nothing' test ! -e "$sandbox/calls"

fake sudo <<<'shift; exec "$@"'
cp "$sandbox/installed" "$sandbox/installed.before"
launch
expect 'with password-less sudo it installs' equals "$(cat "$sandbox/calls")" \
  'install -y --no-install-recommends libpng-dev libturbojpeg-dev libarchive-dev'
expect 'and goes on' equals "$out" one

fake id <<<'echo 0'
fake sudo <<<'exit 1'
rm "$sandbox/calls"
cp "$sandbox/installed.before" "$sandbox/installed"
: >"$sandbox/known"
touch "$project/unclip"
launch
expect 'as root with empty lists it refreshes them' contains "$(cat "$sandbox/calls")" $'\nupdate\ninstall'
expect 'and goes on as well' equals "$out" one

cp "$sandbox/installed.before" "$sandbox/installed"
echo libgmock-dev >>"$sandbox/known"
rm "$sandbox/calls"
launch test
expect 'test also installs what the tests need' contains "$(cat "$sandbox/calls")" ' libarchive-dev libgmock-dev'

cp "$sandbox/installed.before" "$sandbox/installed"
fake apt-get <<<'echo "E: no route to the mirror"; exit 100'
touch "$project/unclip"
launch
expect 'a failing apt is shown' contains "$err" 'E: no route to the mirror'
expect 'and stops the launch' equals "$out$code" 1
rm "$fakes"/{dpkg-query,apt-get,apt-cache,id,sudo}
unset Torch_DIR

# --- LibTorch: a python3 whose venv has a pip that answers from $sandbox/report and notes its calls -----------
fake_venv_python=$sandbox/venv_python
cat >"$fake_venv_python" <<END
#!/usr/bin/env bash
[[ "\$1 \$2" == '-m pip' ]] || exec "$python" "\$@"
echo "\$*" >>"$sandbox/pip"
case "\$*" in
  *--report*) [[ -f "$sandbox/report" ]] && cp "$sandbox/report" "$project/.unclip/torch.json" ;;
  *torch==*)
    [[ -z \${REFUSE-} ]] || { echo 'no such version'; exit 1; }
    site="$project/.unclip/venv/lib/python3.99/site-packages"
    mkdir -p "\$site/torch/share/cmake/Torch" "\$site/torch-2.13.0.dist-info"
    touch "\$site/torch/share/cmake/Torch/TorchConfig.cmake" "\$site/torch-2.13.0.dist-info/INSTALLER" ;;
esac
END
chmod +x "$fake_venv_python"
fake python3 <<END
[[ "\$1 \$2" == '-m venv' ]] || exec "$python" "\$@"
mkdir -p "\${@: -1}/bin" && cp "$fake_venv_python" "\${@: -1}/bin/python"
END

# report VERSION [NEED]: what pip would install
report() {
  printf '{"install": [{"metadata": {"version": "%s", "requires_dist": ["filelock"%s]}}]}' "$1" "${2:+, \"$2\"}" \
    >"$sandbox/report"
}

fake nvcc <<<'exit 1'
fake nvidia-smi <<<'exit 9'
fresh() { rm -rf "$project/.unclip" "$project/build" "$sandbox/pip"; }
pip_install() { tail -n 1 "$sandbox/pip" | sed 's/.* --no-cache-dir//'; }

report 2.13.0+cpu
launch
expect 'a CPU build is taken as pip is configured' equals "$(pip_install)" ' torch==2.13.0'
expect 'and built against' equals "$out" one
rm "$sandbox/pip"
touch "$project/unclip"
launch
expect 'it is kept' equals "$out$(test -e "$sandbox/pip" && echo installed again)" one

cpu=' --index-url https://download.pytorch.org/whl/cpu torch==2.13.0'
fresh
report 2.13.0 'nvidia-cublas; platform_system == \"Linux\"'
launch
expect 'a CUDA build without CUDA is not' equals "$out$(pip_install)" "one$cpu"
fresh
report 2.13.0+cu130
launch
expect 'whichever way it shows' equals "$out$(pip_install)" "one$cpu"
fresh
fake nvidia-smi <<<'echo GPU 0'
launch
expect 'with CUDA it is' equals "$out$(pip_install)" 'one torch==2.13.0'
fake nvidia-smi <<<'exit 9'
fresh
rm "$sandbox/report"
launch
expect 'an index without LibTorch is left' equals "$out$(pip_install)" "one$cpu"
fresh
UNCLIP_TORCH_INDEX=file:///mirror launch
expect 'the variable overrides' equals "$out$(pip_install)" 'one --index-url file:///mirror torch==2.13.0'

fresh
REFUSE=1 launch
expect 'a failing pip is shown' contains "$err" 'no such version'
expect 'and stops the launch' equals "$out$code" 1
expect 'with a way out' contains "$err" 'UNCLIP_TORCH_INDEX may name another package index'
launch
expect 'the next launch tries again' equals "$out" one
rm "$project"/.unclip/venv/lib/python3.99/site-packages/torch-2.13.0.dist-info/INSTALLER
rm "$sandbox/pip"
touch "$project/unclip"
launch
expect 'an interrupted installation is repeated' equals "$out$(pip_install)" "one$cpu"

finish
