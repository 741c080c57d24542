{{ shared("text.js") }}
{{ shared("cursor.js") }}
{% include "core.js" %}
{% for part in parts %}
{% include part + ".js" ignore missing %}
{% endfor %}
start();
