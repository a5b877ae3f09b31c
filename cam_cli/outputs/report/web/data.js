const data = JSON.parse(document.getElementById("data").textContent);
const report = data.report;
