#!/bin/sh
# docs/screens from build/screens (or another folder, if one is given), where `make web-test` left a picture of every view: in the light and in the dark on
# a desktop, and on a phone; with a palette of 64 colours where pngquant is installed, which takes two thirds away.
# docs/screens/README.md shows them, a row a view.
set -eu
cd "$(dirname "$0")/../.."
from=${1:-build/screens}
to=docs/screens
views="posts post post-novo post-editar agora-graficos leads lead entregas entrega reenvios reenvio teste eventos evento arquivos contas auditoria docs pede-login entrar"

for view in $views; do
    for look in light-desktop dark-desktop light-phone; do
        picture=$view-$look.png
        [ -f "$from/$picture" ] || { echo "$from/$picture is missing: make web-test" >&2; exit 1; }
    done
done
rm -f "$to"/*.png
for view in $views; do
    for look in light-desktop dark-desktop light-phone; do
        picture=$view-$look.png
        if command -v pngquant >/dev/null; then pngquant --force --strip --speed 1 --output "$to/$picture" 64 "$from/$picture"
        else cp "$from/$picture" "$to/$picture"; fi
    done
done
{
    echo '# The page, view by view'
    echo
    echo 'By `make screens`, from the pictures that `make web-test` makes. The charts show an hour that was made up for them.'
    echo
    echo '| view | light | dark | phone |'
    echo '|---|---|---|---|'
    for view in $views; do
        echo "| $view | ![$view, light]($view-light-desktop.png) | ![$view, dark]($view-dark-desktop.png) | ![$view, phone]($view-light-phone.png) |"
    done
} >"$to/README.md"
